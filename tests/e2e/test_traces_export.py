"""Traces: which are told and to whom, devices among them; and whom it disturbs when nobody takes them."""

import subprocess
import time

import pytest

from harness.collector import TAKEN, Collector, taken_but_for
from harness.http_receiver import Reply
from harness.patience import wait_until
from harness.senders import BotoSender, RawSender
from harness.server import binary
from harness.traced import PARENT, SPAN, TOPIC, TRACE, confirm, device, never_sent

EXPORTED = "tenfour_trace_spans_exported_total"
DROPPED = 'tenfour_trace_spans_dropped_total{reason="%s"}'


def traces_log(server, reason):
    """The log's entries about the export with that reason."""
    return server.log.entries(eventType="Traces", reason=reason)


def user_properties(message):
    """The user properties that a device got."""
    return list(getattr(message.properties, "UserProperty", []))


def test_a_share_of_the_traces_is_sampled_and_a_parent_decides_for_itself(traced):
    with Collector() as collector:
        server = traced(collector.port, "sample_ratio = 0.0\nservice_name = \"lamps\"\n"
                        "[traces.headers]\nx-api-key = \"not shown\"")
        unseen = never_sent(server, 20)
        (seen,) = never_sent(server, headers={"traceparent": PARENT})
        call = collector.call(seen.trace_id)
        assert call.span.trace == TRACE and call.span.resource["service.name"] == "lamps"
        assert collector.calls() == 1
        assert all(collector.find(answer.trace_id) is None for answer in unseen)
        delivery = collector.delivery()
        assert (delivery.path, delivery.headers["x-api-key"]) == ("/v1/traces", "not shown")
        assert delivery.headers["content-type"] == "application/x-protobuf"
        spans = len(call.steps) + 1
        wait_until(lambda: server.metrics()[EXPORTED] == spans, "the count")
        assert "not shown" not in server.printed()


def test_mqtt_5_devices_go_on_with_the_trace(traced, people, client_id):
    with Collector() as collector:
        server = traced(collector.port, "to_devices = true\nsample_ratio = 0.0")
        lamp = device(server, people, client_id)
        old = device(server, people, f"{client_id}-old", version=3)
        with RawSender(server, server.admin) as sender:
            answer = confirm(sender, client_id, {"traceparent": PARENT})
            call = collector.call(answer.trace_id)
            write = call.steps["write"].id
            assert user_properties(lamp.message()) == [("traceparent", f"00-{TRACE}-{write}-01")]
            # Somebody else's trace that is not recorded is passed on as it came.
            for flags in ("00", "02"):
                unsampled = f"00-{TRACE}-{SPAN}-{flags}"
                confirm(sender, client_id, {"traceparent": unsampled})
                assert user_properties(lamp.message()) == [("traceparent", unsampled)]
            answer = confirm(sender, client_id)
            ((name, value),) = user_properties(lamp.message())
            version, trace, _, flags = value.split("-")
            assert (name, version, flags) == ("traceparent", "00", "00")
            assert trace == answer.trace_id.replace("-", "")
            confirm(sender, f"{client_id}-old", {"traceparent": PARENT})
            assert old.message().payload == b"payload"
        assert collector.calls() <= 2
        lamp.close()
        old.close()


def test_the_property_stands_behind_the_senders_own(traced, people, client_id):
    with Collector() as collector:
        server = traced(collector.port, "to_devices = true")
        lamp = device(server, people, client_id)
        boto = BotoSender(server, server.admin)

        def properties_after(own):
            boto.send(client_id, TOPIC, confirmation=True, timeout=15, payload=b"x",
                      userProperties=own)
            return user_properties(lamp.message())

        assert [name for name, _ in properties_after([{"a": "1"}])] == ["a", "traceparent"]
        mine = [{"traceparent": "mine"}]
        assert properties_after(mine) == [("traceparent", "mine")]
        # AWS's bound for names and values together is 8 KB.
        full = [{"a": "x" * (8 * 1024 - 1)}]
        assert [name for name, _ in properties_after(full)] == ["a"]
        lamp.close()


def test_a_device_without_room_for_the_property_gets_the_message_without_it(traced, people, client_id):
    with Collector() as collector:
        server = traced(collector.port, "to_devices = true")
        lamp = device(server, people, client_id, MaximumPacketSize=1024)
        with RawSender(server, server.admin) as sender:
            answer = sender.send(client_id, TOPIC, b"x" * 960, confirmation="true")
        assert answer.status == 200 and user_properties(lamp.message()) == []
        assert not collector.call(answer.trace_id).span.is_error
        lamp.close()


def test_https_with_an_authority_of_ones_own(traced, template):
    tls = template / "tls"
    with Collector(certificate=(tls / "server.pem", tls / "server.key")) as collector:
        server = traced(collector.port, 'ca = "tls/ca.pem"', scheme="https", host="localhost")
        (answer,) = never_sent(server)
        collector.call(answer.trace_id)


def test_what_fails_for_a_while_is_told_again(traced):
    with Collector(503, Reply(429, {"retry-after": "1"}), 502, 504, TAKEN) as collector:
        server = traced(collector.port)
        (answer,) = never_sent(server)
        collector.call(answer.trace_id, 60)
        attempts = [collector.delivery() for _ in range(5)]
        assert [attempt.status for attempt in attempts] == [503, 429, 502, 504, 200]
        assert len({attempt.body for attempt in attempts}) == 1, "the same spans"
        server.log.wait_for(eventType="Traces", reason="TRACES_RECOVERED")
        (failing,) = traces_log(server, "TRACES_FAILING")
        assert "503" in failing["details"]
        assert server.metrics()[EXPORTED] == 3 and server.metrics()[DROPPED % "given_up"] == 0


def test_a_collector_that_asks_for_patience_gets_it(traced):
    with Collector(Reply(503, {"retry-after": "4"}), TAKEN) as collector:
        server = traced(collector.port)
        never_sent(server)
        collector.delivery()
        asked = time.monotonic()
        collector.delivery(60)
        # Without being asked it is tried again within a second.
        assert time.monotonic() - asked >= 3.5


def test_what_is_refused_is_not_told_again(traced):
    with Collector(400, taken_but_for(2, "too old"), TAKEN) as collector:
        server = traced(collector.port)
        never_sent(server)
        wait_until(lambda: server.metrics()[DROPPED % "refused"] == 3, "the refused spans")
        assert "400" in traces_log(server, "TRACES_FAILING")[0]["details"]
        never_sent(server)
        wait_until(lambda: server.metrics()[DROPPED % "refused"] == 5, "those refused in part")
        assert server.metrics()[EXPORTED] == 1
        assert not traces_log(server, "TRACES_RECOVERED")
        never_sent(server)
        server.log.wait_for(eventType="Traces", reason="TRACES_RECOVERED")
        assert collector.deliveries.qsize() == 3


def test_a_collector_that_is_down_disturbs_nobody_and_is_found_again(traced, people, client_id):
    with Collector() as gone:
        port = gone.port
    server = traced(port, "timeout_seconds = 1", limits="trace_queue = 100")
    lamp = device(server, people, client_id)
    with RawSender(server, server.admin) as sender:
        for _ in range(200):
            confirm(sender, client_id)
        server.log.wait_for(eventType="Traces", reason="TRACES_FAILING")
        server.log.wait_for(eventType="Traces", reason="TRACES_QUEUE_FULL")
        metrics = server.metrics()
        assert metrics[DROPPED % "queue_full"] > 0 and metrics[EXPORTED] == 0
        with Collector(port=port) as collector:
            server.log.wait_for(90, eventType="Traces", reason="TRACES_RECOVERED")
            answer = confirm(sender, client_id)
            collector.call(answer.trace_id, 60)
        assert len(traces_log(server, "TRACES_QUEUE_FULL")) == 1
    lamp.close()


def test_a_collector_that_never_answers_disturbs_nobody(traced, people, client_id):
    with Collector(None) as collector:
        server = traced(collector.port, "timeout_seconds = 1\nattempts = 2",
                        limits="trace_queue = 100\ndrain = 1")
        lamp = device(server, people, client_id)
        with RawSender(server, server.admin) as sender:
            for _ in range(100):
                confirm(sender, client_id)
        wait_until(lambda: server.metrics()[DROPPED % "given_up"] > 0, "spans that are given up", 60)
        lamp.close()
        assert server.stop(60) == 0


def test_what_waits_is_told_when_the_server_ends(traced):
    with Collector(Reply(200, seconds=0.2)) as collector:
        server = traced(collector.port)
        answers = never_sent(server, 30)
        assert server.stop(60) == 0
        assert all(collector.find(answer.trace_id) for answer in answers)
        assert not traces_log(server, "TRACES_DROPPED_AT_THE_END")


def test_what_cannot_be_told_at_the_end_is_counted_in_the_log(traced):
    with Collector(503) as collector:
        server = traced(collector.port, limits="drain = 1")
        never_sent(server, 2)
        collector.delivery()
        assert server.stop(60) == 0
        (entry,) = traces_log(server, "TRACES_DROPPED_AT_THE_END")
        assert entry["details"].endswith(": 6.")


@pytest.mark.parametrize(
    ("table", "fragment"),
    [
        ("", "`traces.endpoint` is missing"),
        ('endpoint = "localhost:4318"\n', "expected a URL"),
        ('endpoint = "http://a"\nsample_ratio = 2\n', "a number, 0 to 1"),
        ('endpoint = "http://a"\nheaders = { host = "b" }\n', "is set by Tenfour itself"),
        ('endpoint = "https://a"\nca = "nothing.pem"\n', "cannot read"),
    ],
)
def test_a_wrong_configuration_is_told_before_the_start(tmp_path, table, fragment):
    (tmp_path / "registry").mkdir()
    config = tmp_path / "tenfour.toml"
    config.write_text(f"[traces]\n{table}")
    check = subprocess.run([str(binary()), "check", "--config", str(config)],
                           capture_output=True, text=True, timeout=30)
    assert check.returncode == 1
    assert fragment in check.stdout and "tenfour.toml:" in check.stdout, check.stdout
