"""The admin listener: health, readiness, metrics."""

import urllib.error

import pytest

from harness.senders import RawSender

TOPIC = "e2e/lamp"


def total(samples, *words):
    """Sum of all samples whose name with labels holds every word."""
    return sum(value for name, value in samples.items() if all(word in name for word in words))


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health(server, path):
    assert server.get_admin(path)[0] == 200


def test_unknown_pages_are_not_found(server):
    with pytest.raises(urllib.error.HTTPError) as caught:
        server.get_admin("/secrets")
    assert caught.value.code == 404


def test_metrics_are_in_the_prometheus_form(server):
    status, text = server.get_admin("/metrics")
    assert status == 200
    described = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name = line.partition("{")[0].split()[0]
            base = name
            for suffix in ("_bucket", "_sum", "_count"):
                base = base.removesuffix(suffix)
            assert name in described or base in described, line
            float(line.rpartition(" ")[2])


def test_sends_are_counted_by_outcome(server, raw, wire, client_id):
    device = wire()
    before = server.metrics()
    raw.send(client_id, TOPIC)
    raw.send("nobody", TOPIC)
    raw.send("nobody", "#")
    device.message()
    after = server.metrics()
    for label in ("DISPATCHED", "TARGET_CLIENT_ID_NOT_FOUND", "INVALID_TOPIC"):
        assert total(after, label) == total(before, label) + 1, label


def test_confirmations_are_measured(server, boto, paho, client_id):
    paho()
    before = server.metrics()
    boto.send(client_id, TOPIC, confirmation=True, timeout=10)
    after = server.metrics()
    assert total(after, "ACKNOWLEDGED") == total(before, "ACKNOWLEDGED") + 1
    counts = [name for name in after if "ack" in name and name.endswith("_count")]
    assert counts, "no histogram of the acknowledgement latency"
    assert total(after, counts[0]) == total(before, counts[0]) + 1


def test_connections_and_bytes_are_counted(server, boto, wire, client_id):
    before = server.metrics()
    device = wire()
    boto.send(client_id, TOPIC, payload=bytes(10_000))
    device.message()
    after = server.metrics()
    connections = [name for name in after if "connections" in name]
    assert connections
    assert any(after[name] > before.get(name, 0) for name in connections)
    grown = [
        name for name in after
        if "bytes" in name and after[name] - before.get(name, 0) >= 10_000
    ]
    assert grown, "no counter of bytes moved"


def test_log_entries_that_were_dropped_are_counted(server):
    samples = server.metrics()
    assert any("log" in name and "dropped" in name for name in samples)
    assert total(samples, "log", "dropped") == 0


def test_the_admin_listener_sends_no_messages(server):
    with RawSender(server, server.admin, "admin") as sender:
        assert sender.send("nobody", TOPIC).status in (404, 405)
