"""The webhook: what it posts, signed how, how often, and whom it disturbs when nobody takes it."""

import dataclasses
import socket
import subprocess
import threading

import pytest
import standardwebhooks

from harness.http_receiver import Reply
from harness.paho_device import PahoDevice
from harness.patience import wait_until
from harness.senders import RawSender
from harness.server import binary
from harness.webhook_receiver import WebhookReceiver

TOPIC = "e2e/lamp"
SECRET = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiB0aGUgd2ViaG9vaw=="
DROPPED = 'tenfour_webhook_events_dropped_total{reason="%s"}'
ATTEMPTS = 'tenfour_webhook_attempts_total{result="%s"}'
NOWHERE = "e2e-nobody"


def settings(port, more="", limits="", scheme="http", host="127.0.0.1"):
    """The tables of a webhook to that port."""
    return (f'[webhook]\nurl = "{scheme}://{host}:{port}/receipts?from=tenfour"\n'
            f'secret = "{SECRET}"\n{more}\n[limits]\n{limits}\n')


@pytest.fixture
def hooked(start, client_id):
    """Starts a server with a webhook; at the end it has to stop in time."""
    servers = []

    def starter(*arguments, **more):
        servers.append(start(f"webhook-{client_id}-{len(servers)}", "--unlimited",
                             settings=settings(*arguments, **more)))
        return servers[-1]

    yield starter
    for server in servers:
        assert server.stop(60) == 0
        assert "panicked" not in server.printed()


def never_sent(server, times=1):
    """Messages to nobody: their trace IDs."""
    with RawSender(server, server.admin) as sender:
        answers = [sender.send(NOWHERE, TOPIC, confirmation="true") for _ in range(times)]
    assert {answer.status for answer in answers} == {404}
    return [answer.trace_id for answer in answers]


def webhook_log(server, reason):
    """The log's entries about the webhook with that reason."""
    return server.log.entries(eventType="Webhook", reason=reason)


def test_a_receipt_is_posted_signed_and_names_the_principal(hooked, people, client_id):
    with WebhookReceiver() as receiver:
        server = hooked(receiver.port)
        device = PahoDevice(client_id).connected(server, certificate=people.fleet)
        with RawSender(server, server.admin) as sender:
            answer = sender.send(client_id, TOPIC, confirmation="true", timeout=15)
            assert answer.status == 200
            own = sender.request("GET", f"/receipts/{answer.trace_id}").json
        device.close()
        delivery = receiver.delivery()
        told = delivery.verified(SECRET)
        assert told.pop("principalId") == server.log.the_send(answer.trace_id)["principalId"]
        assert told == own and told["status"] == "acknowledged", "and no `pending` before it"
        assert delivery.path == "/receipts?from=tenfour"
        assert delivery.headers["content-type"] == "application/json"
        wait_until(lambda: server.metrics()[ATTEMPTS % "Success"] == 1, "the count")


def test_a_signature_does_not_fit_another_body_or_secret(hooked):
    with WebhookReceiver() as receiver:
        never_sent(hooked(receiver.port))
        delivery = receiver.delivery()
        delivery.verified(SECRET)
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            dataclasses.replace(delivery, body=delivery.body + b" ").verified(SECRET)
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            delivery.verified("whsec_" + "b3RoZXIgc2VjcmV0IG9mIHRoZSB0ZXN0cw==")


def test_https_with_an_authority_of_ones_own(hooked, template):
    tls = template / "tls"
    with WebhookReceiver(certificate=(tls / "server.pem", tls / "server.key")) as receiver:
        server = hooked(receiver.port, 'ca = "tls/ca.pem"', scheme="https", host="localhost")
        (trace_id,) = never_sent(server)
        assert receiver.delivery().verified(SECRET)["traceId"] == trace_id


def test_https_with_the_authorities_of_the_system(hooked, template, monkeypatch):
    """Which the usual variable names."""
    tls = template / "tls"
    monkeypatch.setenv("SSL_CERT_FILE", str(tls / "ca.pem"))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with WebhookReceiver(certificate=(tls / "server.pem", tls / "server.key")) as receiver:
        server = hooked(receiver.port, scheme="https", host="localhost")
        (trace_id,) = never_sent(server)
        assert receiver.delivery().verified(SECRET)["traceId"] == trace_id


def test_a_receiver_that_is_not_believed_gets_nothing(hooked, template, people):
    """Its certificate is of an authority that the configuration does not name."""
    tls = template / "tls"
    with WebhookReceiver(certificate=(tls / "server.pem", tls / "server.key")) as receiver:
        stranger = people.stranger.cert
        server = hooked(receiver.port, f'ca = "{stranger}"\nattempts = 1', scheme="https",
                        host="localhost")
        never_sent(server)
        entry = server.log.wait_for(eventType="Webhook", reason="WEBHOOK_FAILING")
        assert "TLS with localhost" in entry["details"]
        assert receiver.deliveries.empty()


def test_what_fails_twice_is_posted_again_with_the_same_id(hooked):
    """And its failure and its end are told once each."""
    with WebhookReceiver(500, 302, 200) as receiver:
        server = hooked(receiver.port)
        (trace_id,) = never_sent(server)
        attempts = [receiver.delivery(60) for _ in range(3)]
        assert [attempt.status for attempt in attempts] == [500, 302, 200]
        assert len({attempt.id for attempt in attempts}) == 1
        assert {attempt.verified(SECRET)["traceId"] for attempt in attempts} == {trace_id}
        server.log.wait_for(eventType="Webhook", reason="WEBHOOK_RECOVERED")
        assert len(webhook_log(server, "WEBHOOK_FAILING")) == 1
        assert "answered 500" in webhook_log(server, "WEBHOOK_FAILING")[0]["details"]
        (other,) = never_sent(server)
        fresh = receiver.delivery()
        assert fresh.verified(SECRET)["traceId"] == other and fresh.id != attempts[0].id
        metrics = server.metrics()
        assert metrics[ATTEMPTS % "Failure"] == 2


def test_a_receipt_that_is_being_tried_again_still_counts_as_failing(hooked):
    held = threading.Event()
    with WebhookReceiver(500, Reply(200, until=held), 200) as receiver:
        server = hooked(receiver.port)
        never_sent(server)
        first = receiver.delivery()
        assert receiver.delivery().id == first.id
        never_sent(server)
        assert receiver.delivery().id != first.id
        wait_until(lambda: server.metrics()[ATTEMPTS % "Success"] == 1, "the other's answer")
        assert not webhook_log(server, "WEBHOOK_RECOVERED")
        held.set()
        server.log.wait_for(eventType="Webhook", reason="WEBHOOK_RECOVERED")


def test_only_the_statuses_that_are_asked_for_are_posted(hooked, people, client_id):
    with WebhookReceiver() as receiver:
        server = hooked(receiver.port, 'events = ["pending", "acknowledged-late"]')
        never_sent(server)
        device = PahoDevice(client_id, manual_ack=True)
        device.connected(server, certificate=people.fleet)
        with RawSender(server, server.admin) as sender:
            assert sender.send(client_id, TOPIC, confirmation="true", timeout=1).status == 504
        device.acknowledge(device.message())
        told = [receiver.delivery().verified(SECRET)["status"] for _ in range(3)]
        assert sorted(told) == ["acknowledged-late", "pending", "pending"], "in any order"
        device.close()


def test_an_attempt_that_is_not_answered_in_time_is_given_up(hooked):
    with WebhookReceiver(None, 200) as receiver:
        server = hooked(receiver.port, "timeout_seconds = 0.5")
        never_sent(server)
        first, second = receiver.delivery(), receiver.delivery(60)
        assert first.id == second.id
        entry = server.log.wait_for(eventType="Webhook", reason="WEBHOOK_FAILING")
        assert "did not answer within 0.5 s" in entry["details"]


def test_an_answer_counts_by_its_status_however_long_its_body_is(hooked):
    with WebhookReceiver(Reply(200, body=b"-" * 3_000_000), 200) as receiver:
        server = hooked(receiver.port)
        (first,) = never_sent(server)
        assert receiver.delivery().verified(SECRET)["traceId"] == first
        wait_until(lambda: server.metrics().get(ATTEMPTS % "Success") == 1, "the answer")
        (second,) = never_sent(server)
        posted = receiver.delivery().verified(SECRET)["traceId"]
        assert posted == second, "the first is not posted again"
        assert not webhook_log(server, "WEBHOOK_FAILING")


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_a_dead_receiver_disturbs_nobody_and_what_is_too_much_is_counted(hooked, people,
                                                                         client_id):
    server = hooked(free_port(), limits="webhook_queue = 5")
    never_sent(server, times=30)
    assert server.metrics()[DROPPED % "queue_full"] == 25
    entry = server.log.wait_for(eventType="Webhook", reason="WEBHOOK_FAILING")
    assert "cannot connect" in entry["details"], entry
    server.log.wait_for(eventType="Webhook", reason="WEBHOOK_QUEUE_FULL")
    device = PahoDevice(client_id).connected(server, certificate=people.fleet)
    with RawSender(server, server.admin) as sender:
        assert sender.send(client_id, TOPIC, confirmation="true", timeout=15).status == 200
    device.close()
    assert len(webhook_log(server, "WEBHOOK_FAILING")) == 1
    assert len(webhook_log(server, "WEBHOOK_QUEUE_FULL")) == 1


def test_what_does_not_get_through_is_given_up_after_its_attempts(hooked):
    with WebhookReceiver(503) as receiver:
        server = hooked(receiver.port, "attempts = 2")
        never_sent(server, times=3)
        wait_until(lambda: server.metrics()[DROPPED % "given_up"] == 3, "the last attempts", 60)
        deliveries = [receiver.delivery() for _ in range(6)]
        ids = [delivery.id for delivery in deliveries]
        assert sorted(ids.count(one) for one in set(ids)) == [2, 2, 2]
        assert receiver.deliveries.empty()


def test_a_receiver_that_is_gone_for_good_gets_no_more(hooked):
    with WebhookReceiver(410) as receiver:
        server = hooked(receiver.port)
        never_sent(server)
        entry = server.log.wait_for(eventType="Webhook", reason="WEBHOOK_GONE")
        assert "dropped: 1" in entry["details"]
        receiver.delivery()
        never_sent(server, times=3)
        assert server.stop(60) == 0
        assert receiver.deliveries.empty()


def test_at_the_end_what_waits_is_tried_once_more(hooked):
    """It failed before and would have been tried later; it is tried now."""
    with WebhookReceiver(500) as receiver:
        server = hooked(receiver.port)
        never_sent(server, times=3)
        failed = set()
        while len(failed) < 3:
            failed.add(receiver.delivery().id)
        wait_until(lambda: server.metrics()[ATTEMPTS % "Failure"] >= 3, "the answers")
        receiver.replies[:] = [200]
        assert server.stop(60) == 0
        taken = set()
        while not receiver.deliveries.empty():
            delivery = receiver.delivery()
            if delivery.status == 200:
                taken.add(delivery.id)
        assert taken == failed
        assert not webhook_log(server, "WEBHOOK_DROPPED_AT_THE_END")


def test_at_the_end_too_a_receiver_that_is_gone_gets_no_more(hooked):
    """Four are posted at a time; the others are not."""
    with WebhookReceiver(500) as receiver:
        server = hooked(receiver.port)
        never_sent(server, times=40)
        wait_until(lambda: server.metrics()[ATTEMPTS % "Failure"] >= 40, "the answers")
        receiver.replies[:] = [410]
        assert server.stop(60) == 0
        assert server.log.wait_for(eventType="Webhook", reason="WEBHOOK_GONE")
        refused = 0
        while not receiver.deliveries.empty():
            refused += receiver.delivery().status == 410
        assert 1 <= refused <= 8, refused


def test_at_the_end_what_nobody_takes_is_dropped_and_counted(hooked):
    """The receiver hangs: the end is not put off beyond the drain time."""
    with WebhookReceiver(None) as receiver:
        server = hooked(receiver.port, "timeout_seconds = 300", limits="drain = 1")
        never_sent(server, times=10)
        receiver.delivery()
        assert server.stop(60) == 0
        entry = server.log.wait_for(eventType="Webhook", reason="WEBHOOK_DROPPED_AT_THE_END")
        assert entry["details"].endswith(": 10."), entry


@pytest.mark.parametrize(
    ("table", "fragment"),
    [
        ("", "`webhook.url` is missing"),
        ('url = "http://a/"\n', "`webhook.secret` is missing"),
        (f'url = "a"\nsecret = "{SECRET}"\n', "expected a URL"),
        ('url = "http://a/"\nsecret = "short"\n', "24 to 64 bytes"),
        (f'url = "http://a/"\nsecret = "{SECRET}"\nevents = ["acknowledged-latte"]\n',
         'did you mean "acknowledged-late"?'),
        (f'url = "https://a/"\nsecret = "{SECRET}"\nca = "nothing.pem"\n', "cannot read"),
    ],
)
def test_a_wrong_configuration_is_told_before_the_start(tmp_path, table, fragment):
    (tmp_path / "registry").mkdir()
    config = tmp_path / "tenfour.toml"
    config.write_text(f"[webhook]\n{table}")
    check = subprocess.run([str(binary()), "check", "--config", str(config)],
                           capture_output=True, text=True, timeout=30)
    assert check.returncode == 1
    assert fragment in check.stdout and "tenfour.toml:" in check.stdout, check.stdout
    assert SECRET not in check.stdout + check.stderr
