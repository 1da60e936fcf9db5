"""Dry runs: what a message would meet, told without sending it; and why a policy refused it."""

import json
import time

import pytest

from harness import certificates
from harness.answer import check_shape
from harness.commands import curl
from harness.patience import wait_until
from harness.registry import ARN, allow, deny
from harness.senders import BotoSender, RawSender
from harness.signing import Credentials, message_url
from harness.wire_device import WireDevice

TOPIC = "e2e/lamp"
DRY = {"x-tenfour-dry-run": "true"}
TEN_MINUTES = 600


@pytest.fixture
def gateway(server, people):
    """A sender that may send to everybody, and not be told why."""
    with RawSender(server, listener="https_x509", certificate=people.gateway) as sender:
        yield sender


@pytest.fixture
def stranger(server, people):
    """A caller that may not send."""
    with RawSender(server, listener="https_x509", certificate=people.fleet) as sender:
        yield sender


@pytest.fixture
def open_raw(open_server):
    """A sender of the open server."""
    with RawSender(open_server, listener="http") as sender:
        yield sender


def dry_run(sender, client_id, topic=TOPIC, headers=None, **options):
    """The document of a dry run."""
    answer = sender.send(client_id, topic, headers=DRY | (headers or {}), **options)
    assert answer.status == 200, answer
    document = answer.json
    assert (document["dryRun"], document["traceId"]) == (True, answer.trace_id)
    assert document["wouldSend"] == (document["status"] == 200)
    return document


def verdict(document):
    """Status and reason that the real call would have."""
    return document["status"], document["reason"]


@pytest.mark.parametrize("version", [3, 5])
def test_nothing_reaches_the_device(boto, raw, paho, client_id, version):
    device = paho(version=version)
    for confirmation in ["true", "false"] * 5:
        document = dry_run(raw, client_id, body=b"dry", confirmation=confirmation)
        assert verdict(document) == (200, None)
    boto.send(client_id, TOPIC, payload=b"real", confirmation=True)
    message = device.message()
    assert (message.payload, message.mid) == (b"real", 1), "the first message and packet ID"
    assert device.no_message()


def test_the_document_tells_the_state_of_the_device(gateway, wire, client_id, people):
    device = wire(receive_maximum=7)
    assert gateway.send(client_id, TOPIC, confirmation="true", timeout=1).status == 504
    document = dry_run(gateway, client_id, body=b"12345", confirmation="true")
    message = document.pop("message")
    assert "cannot be known" in message
    epoch = document["device"].pop("connectionEpoch")
    assert epoch >= 1
    document.pop("traceId")
    assert document == {
        "dryRun": True, "wouldSend": True, "status": 200, "reason": None,
        "sender": {"principalId": people.gateway.certificate_id, "decision": "allowed"},
        "receiver": {"decision": "allowed"},
        "device": {"connected": True, "session": False, "protocol": "MQTT 5.0", "inFlight": 1,
                   "window": 7, "writable": True},
        # Fixed header 2, length of the topic 2, packet ID 2, length of the properties 1.
        "limits": {"payloadBytes": 5, "payloadLimit": 131072,
                   "packetBytes": 2 + 2 + len(TOPIC) + 2 + 1 + 5, "maximumPacketSize": None},
    }
    assert device.message().payload == b""
    assert device.is_silent()


def test_a_device_that_is_not_there(raw, paho, client_id):
    document = dry_run(raw, client_id)
    assert verdict(document) == (404, "TARGET_CLIENT_ID_NOT_FOUND")
    assert document["device"] == {"connected": False, "session": False}
    assert document["receiver"] == {"decision": "unknown"}
    device = paho(clean=False, session_expiry=TEN_MINUTES)
    assert dry_run(raw, client_id)["device"]["session"]
    device.close()
    wait_until(lambda: verdict(dry_run(raw, client_id)) == (404, "TARGET_CLIENT_NOT_CONNECTED"),
               "the session without its connection")
    assert dry_run(raw, client_id)["device"] == {"connected": False, "session": True}


def same_in_earnest(sender, client_id, topic=TOPIC, **options):
    """The verdict of a dry run, which is what the real call gets then."""
    foreseen = verdict(dry_run(sender, client_id, topic, **options))
    real = sender.send(client_id, topic, **options)
    assert foreseen == (real.status, real.reason)
    return foreseen


def test_a_device_that_may_not_receive(gateway, wire, people):
    wire("narrow-dry", certificate=people.narrow)
    assert same_in_earnest(gateway, "narrow-dry", "e2e/elsewhere") == (
        403, "RECEIVE_AUTHORIZATION_FAILURE")
    assert dry_run(gateway, "narrow-dry", "e2e/elsewhere")["receiver"] == {"decision": "denied"}


def test_a_full_window(gateway, wire, client_id):
    wire(receive_maximum=1)
    assert gateway.send(client_id, TOPIC, confirmation="true", timeout=1).status == 504
    window = same_in_earnest(gateway, client_id, confirmation="true", timeout=1)
    assert window == (429, "RECEIVER_MAX_UNACKED_QOS1_EXCEEDED")
    assert same_in_earnest(gateway, client_id) == (200, None)


def test_a_packet_that_is_too_large(open_server, open_raw, client_id):
    with WireDevice.connected(open_server, client_id, listener="mqtt", maximum_packet_size=100):
        too_large = same_in_earnest(open_raw, client_id, body=b"-" * 100)
        assert too_large == (413, "RECEIVER_PACKET_TOO_LARGE")
        limits = dry_run(open_raw, client_id, body=b"-" * 80)["limits"]
        assert limits["maximumPacketSize"] == 100
        length = limits["packetBytes"]
        fits = 80 + 100 - length
        assert same_in_earnest(open_raw, client_id, body=b"-" * fits) == (200, None)
        assert same_in_earnest(open_raw, client_id, body=b"-" * (fits + 1))[0] == 413


def test_a_device_that_reads_nothing(open_server, open_raw, client_id):
    with WireDevice.connected(open_server, client_id, listener="mqtt"):

        def is_full():
            answer = open_raw.send(client_id, TOPIC, body=b"-" * 100_000)
            return answer.reason == "CLIENT_ENDPOINT_NOT_WRITABLE"

        wait_until(is_full, "a socket and a buffer that take nothing", seconds=60, pause=0)
        full = same_in_earnest(open_raw, client_id, body=b"-" * 100_000)
        assert full == (500, "CLIENT_ENDPOINT_NOT_WRITABLE")
        # Now or never: that there is room in the buffer does not help.
        deadline = {"x-tenfour-deadline-ms": "1000"}
        document = dry_run(open_raw, client_id, headers=deadline)
        assert verdict(document) == (500, "CLIENT_ENDPOINT_NOT_WRITABLE")
        assert document["device"]["writable"] is False


@pytest.mark.parametrize("quota, reason", [
    ("send_direct_message", "SEND_DIRECT_MESSAGE_THROTTLED"),
    ("publishes_per_connection", "RECEIVE_SESSION_THROTTLED"),
])
def test_a_rate_that_is_used_up_and_is_not_by_dry_runs(start, client_id, quota, reason):
    server = start(f"dry-{quota}", "--open", settings=f"[quotas]\n{quota} = 5\n")
    with WireDevice.connected(server, client_id, listener="mqtt"), \
            RawSender(server, listener="http") as sender:
        for _ in range(50):
            assert verdict(dry_run(sender, client_id)) == (200, None)

        def is_used_up():
            for _ in range(10):
                sender.send(client_id, TOPIC)
            return verdict(dry_run(sender, client_id)) == (429, reason)

        wait_until(is_used_up, "a dry run that finds the rate used up")
    assert server.stop() == 0


def test_it_is_logged_and_counted_as_what_it_is(raw, wire, client_id, server, log):
    wire()
    mark, before = log.mark(), server.metrics()
    sent = dry_run(raw, client_id, confirmation="true", timeout=7)
    absent = dry_run(raw, f"{client_id}-absent")
    entry = log.wait_since(mark, eventType="SendDirectMessageDryRun", traceId=sent["traceId"])
    assert (entry["dryRun"], entry["status"], entry["clientId"]) == (True, "Success", client_id)
    assert (entry["topicName"], entry["confirmation"], entry["timeout"]) == (TOPIC, True, 7)
    assert entry["connectionEpoch"] == sent["device"]["connectionEpoch"]
    entry = log.wait_since(mark, eventType="SendDirectMessageDryRun", traceId=absent["traceId"])
    assert (entry["status"], entry["reason"]) == ("Failure", "TARGET_CLIENT_ID_NOT_FOUND")
    assert log.since(mark, eventType="SendDirectMessage") == []
    after = server.metrics()
    changed = {name for name, value in after.items()
               if name.startswith("tenfour_direct") and value != before.get(name)}
    outcomes = ["DISPATCHED", "TARGET_CLIENT_ID_NOT_FOUND"]
    assert changed == {
        f'tenfour_direct_dry_runs_total{{outcome="{outcome}"}}' for outcome in outcomes}


@pytest.mark.parametrize("value", ["yes", "1", "", "truee", "true, true"])
def test_a_header_that_says_neither_is_told(raw, wire, client_id, value):
    device = wire()
    answer = raw.send(client_id, TOPIC, headers={"x-tenfour-dry-run": value})
    check_shape(answer, 400, "INVALID_REQUEST")
    assert "x-tenfour-dry-run" in answer.json["message"]
    assert "true or false" in answer.json["message"]
    assert device.is_silent()


def test_a_header_that_is_given_twice_is_told(open_server, open_raw, client_id):
    path = message_url("", client_id, topic=TOPIC)
    with WireDevice.connected(open_server, client_id, listener="mqtt") as device:
        open_raw.connection.putrequest("POST", path)
        for _ in range(2):
            open_raw.connection.putheader("x-tenfour-dry-run", "true")
        open_raw.connection.putheader("Content-Length", "0")
        open_raw.connection.endheaders()
        check_shape(open_raw.read(), 400, "INVALID_REQUEST")
        assert device.is_silent()


def test_false_sends_and_letter_case_does_not_matter(raw, wire, client_id):
    device = wire()
    assert raw.send(client_id, TOPIC, b"dry", headers={"X-Tenfour-Dry-Run": "TRUE"}).json["dryRun"]
    answer = raw.send(client_id, TOPIC, b"real", headers={"x-tenfour-dry-run": "False"})
    check_shape(answer, 200)
    assert device.message().payload == b"real"


def test_what_is_wrong_with_a_request_is_answered_as_ever(raw, client_id):
    for options in ({"topic": "$aws/x"}, {"topic": TOPIC, "confirmation": "maybe"},
                    {"topic": TOPIC, "body": b"-" * 140_000}):
        dry, real = raw.send(client_id, headers=DRY, **options), raw.send(client_id, **options)
        assert dry.status == real.status in (400, 413)
        assert dry.json | {"traceId": ""} == real.json | {"traceId": ""}


def test_who_may_not_send_learns_nothing_of_the_device(stranger, wire, client_id):
    wire()
    bodies = []
    for target in (client_id, f"{client_id}-absent"):
        for headers in (DRY, {}):
            answer = stranger.send(target, TOPIC, headers=headers)
            check_shape(answer, 403, "SENDER_AUTHORIZATION_FAILURE")
            bodies.append(answer.json | {"traceId": ""})
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0].keys() == {"message", "reason", "delivery", "traceId"}


def test_it_leaves_no_receipt_and_claims_no_key(raw, wire, client_id):
    device = wire()
    key = {"x-tenfour-idempotency-key": f"dry-{client_id}"}
    document = dry_run(raw, client_id, headers=key, body=b"dry", confirmation="true")
    assert raw.request("GET", f"/receipts/{document['traceId']}").status == 404
    assert raw.send(client_id, TOPIC, b"real", headers=key).status == 200
    assert device.message().payload == b"real"


def test_it_does_not_wait_for_a_device(raw, client_id):
    begun = time.monotonic()
    document = dry_run(raw, client_id, headers={"x-tenfour-wait-online-ms": "60000"})
    assert verdict(document) == (404, "TARGET_CLIENT_ID_NOT_FOUND")
    assert time.monotonic() - begun < 30


def test_boto3_and_curl_can_ask(boto, server, wire, client_id, people):
    device = wire()
    boto.client.meta.events.register(
        "before-call.iot-data.SendDirectMessage",
        lambda params, **_: params["headers"].update(DRY))
    result = boto.call("send_direct_message", clientId=client_id, topic=TOPIC, payload=b"dry")
    assert result["message"] == "The message would be written to the device's connection."
    assert boto.answer.json["wouldSend"]
    path = message_url("", client_id, topic=TOPIC)
    answer, _ = curl(server, "--cert", people.gateway.cert, "--key", people.gateway.key,
                     "--header", "x-tenfour-dry-run: true", "--request", "POST", "--data", "dry",
                     server.url("https_x509", path))
    assert answer.json["wouldSend"]
    assert device.is_silent()


BLIND = Credentials("AKIAE2EBLIND00000001", "secret of the blind key")
SEEING = Credentials("AKIAE2ESEEING0000001", "secret of the seeing key")
EVERYTHING = Credentials("AKIAE2EEVERYTHING001", "secret of the key for everything")
SENDERS = {"blind": BLIND, "seeing": SEEING, "everything": EVERYTHING}


@pytest.fixture(scope="module")
def explaining(start, tmp_path_factory):
    """A server with senders that may be told why and some that may not, and a device with a thing."""
    server = start("explaining")
    registry = server.registry
    send = allow("iot:SendDirectMessage", "client/*")
    secret = deny("iot:SendDirectMessage", "client/secret-*", StringLike={"iot:Topic": "e2e/*"})
    secret["Sid"] = "NothingSecret"
    registry.policy("blind", send, secret, allow("iot:*", "*"))
    registry.policy("seeing", send, secret, allow("tenfour:Explain", "client/*"))
    registry.policy("everything", allow("*", "*"), secret)
    for name, credentials in SENDERS.items():
        registry.sender(name, credentials, [name])
    mine = certificates.make(tmp_path_factory.mktemp("explaining"), "explained")
    quiet = deny("iot:Receive", "topic/e2e/quiet/*")
    quiet["Sid"] = "Quiet"
    own = "topic/e2e/${iot:Connection.Thing.ThingName}/*"
    registry.thing("hall-lamp", "lamp", room="hall")
    registry.policy("explained", allow("iot:Connect", "client/*"), allow("iot:Receive", own), quiet)
    registry.certificate("explained", mine, ["explained"], things=["hall-lamp"])

    def device():
        try:
            return WireDevice.connected(server, "hall-lamp", mine)
        except (OSError, AssertionError):
            return None

    with wait_until(device, "the new certificate", seconds=20, pause=0.5), \
            RawSender(server, EVERYTHING, "http") as probe:
        wait_until(lambda: probe.send("nobody", TOPIC).status == 404, "the new keys", seconds=20)
        yield server
    assert server.stop() == 0


@pytest.fixture
def ask(explaining):
    """Sends as one of the senders, with or without a dry run."""

    def send(who, *arguments, **options):
        with RawSender(explaining, SENDERS[who], "http") as sender:
            return sender.send(*arguments, **options)

    return send


@pytest.mark.parametrize("who", ["seeing", "everything"])
def test_an_explicit_deny_is_explained(ask, who):
    answer = ask(who, "secret-1", TOPIC)
    check_shape(answer, 403, "SENDER_AUTHORIZATION_FAILURE")
    explanation = answer.json["explanation"]
    assert explanation["decision"] == "explicitDeny"
    statement = explanation["statement"]
    assert (statement["policy"], statement["index"], statement["sid"]) == (
        who, 1, "NothingSecret")
    assert explanation["action"] == "iot:SendDirectMessage"
    assert explanation["resource"] == f"{ARN}client/secret-1"
    assert explanation["context"]["iot:Topic"] == TOPIC
    assert answer.json == ask(who, "secret-1", TOPIC, headers=DRY).json | {
        "traceId": answer.trace_id}


def test_iots_own_wildcard_does_not_reach_explanations(ask):
    answer = ask("blind", "secret-1", TOPIC)
    check_shape(answer, 403, "SENDER_AUTHORIZATION_FAILURE")
    assert answer.json.keys() == {"message", "reason", "delivery", "traceId"}
    answer = ask("blind", "hall-lamp", "e2e/quiet/x")
    check_shape(answer, 403, "RECEIVE_AUTHORIZATION_FAILURE")
    assert answer.json.keys() == {"message", "reason", "delivery", "traceId"}
    document = ask("blind", "hall-lamp", "e2e/quiet/x", headers=DRY).json
    assert document["receiver"] == {"decision": "denied"}
    assert document["sender"].keys() == {"decision", "principalId"}


def test_the_receivers_deny_is_explained(ask):
    answer = ask("seeing", "hall-lamp", "e2e/quiet/x")
    check_shape(answer, 403, "RECEIVE_AUTHORIZATION_FAILURE")
    explanation = answer.json["explanation"]
    assert (explanation["decision"], explanation["statement"]["sid"]) == ("explicitDeny", "Quiet")
    assert explanation["statement"]["policy"] == "explained"
    assert explanation["resource"] == f"{ARN}topic/e2e/quiet/x"
    document = ask("seeing", "hall-lamp", "e2e/quiet/x", headers=DRY).json
    assert verdict(document) == (403, "RECEIVE_AUTHORIZATION_FAILURE")
    assert document["receiver"]["explanation"] == explanation
    assert document["receiver"]["statement"]["sid"] == "Quiet"
    assert document["receiver"]["principalId"] == explanation["principalId"]
    assert document["sender"]["statement"]["policy"] == "seeing"


def test_a_variable_of_the_thing_is_explained_with_its_value(ask):
    answer = ask("seeing", "hall-lamp", "e2e/other-lamp/x")
    check_shape(answer, 403, "RECEIVE_AUTHORIZATION_FAILURE")
    explanation = answer.json["explanation"]
    assert (explanation["decision"], explanation["statement"]) == ("implicitDeny", None)
    failures = json.dumps(explanation["nearest"]["failures"])
    assert "${iot:Connection.Thing.ThingName}" in failures
    assert explanation["context"]["iot:Connection.Thing.ThingName"] == "hall-lamp"
    assert explanation["context"]["iot:ClientId"] == "hall-lamp"
    allowed = ask("seeing", "hall-lamp", "e2e/hall-lamp/x", headers=DRY).json
    assert allowed["receiver"]["explanation"]["decision"] == "allowed"
    assert allowed["receiver"]["statement"]["index"] == 1


def test_boto3_takes_an_explained_refusal(explaining):
    boto = BotoSender(explaining, SEEING)
    answer = boto.refused("ForbiddenException", "secret-1", TOPIC)
    assert answer.json["explanation"]["statement"]["sid"] == "NothingSecret"
