"""Metering: `tenfour usage` and the metric behind it, in units of 5 KB."""

import json
import subprocess

import pytest

from harness.patience import wait_until
from harness.senders import BotoSender
from harness.server import binary

TOPIC = "e2e/metered"
KINDS = ["directMessages", "confirmedDirectMessages", "publishesIn", "publishesOut", "pubacks"]
UNIT = 5 * 1024


def usage(*arguments):
    """Runs the command to its end."""
    command = [str(binary()), "usage", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def units(server):
    """What the command says of a data folder's server."""
    done = usage("--dir", server.folder, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def metered(server):
    """What was metered since the test began; waits until that is what is expected."""
    before = units(server)

    def check(**expected):
        def since():
            now = units(server)
            return {kind: now[kind] - before[kind] for kind in KINDS if now[kind] != before[kind]}

        wait_until(lambda: since() == expected, f"{expected} to be metered")
        assert since() == expected

    return check


def test_nothing_is_metered_while_nothing_happens(metered):
    metered()


def test_a_direct_message_is_one_and_one_with_confirmation_another(metered, boto, paho, client_id):
    paho()
    boto.send(client_id, TOPIC, payload=b"x")
    metered(directMessages=1)
    boto.send(client_id, TOPIC, payload=b"x", confirmation=True, timeout=10)
    metered(directMessages=1, confirmedDirectMessages=1)


def test_units_that_are_begun_count_as_whole(metered, boto, paho, client_id):
    device = paho()
    room = UNIT - len(TOPIC)
    boto.send(client_id, TOPIC, payload=bytes(room))
    boto.send(client_id, TOPIC, payload=bytes(room + 1))
    device.message(), device.message()
    metered(directMessages=1 + 2)
    # MQTT 5 fields count as well.
    boto.send(client_id, TOPIC, payload=bytes(room), confirmation=True, timeout=10,
              contentType="text/plain")
    metered(directMessages=3, confirmedDirectMessages=2)


def test_what_got_to_no_device_is_not_metered(metered, boto, paho, client_id):
    boto.refused("ResourceNotFoundException", client_id, TOPIC)
    boto.refused("InvalidRequestException", client_id, "#")
    metered()


def test_publishes_count_on_their_way_in_and_out_and_so_do_pubacks(metered, boto, paho, client_id):
    device = paho()
    device.subscribe(f"e2e/{client_id}", 1)
    boto.publish(f"e2e/{client_id}", qos=1, payload=bytes(UNIT))
    device.message()
    metered(publishesIn=2, publishesOut=2, pubacks=1)
    device.publish(f"e2e/{client_id}", b"x", qos=1)
    device.message()
    metered(publishesIn=3, publishesOut=3, pubacks=2)


def test_people_get_a_table_with_the_time_since_when(server):
    done = usage("--admin", server.url("admin"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Since the server started, ")
    assert "In units of 5 KB" in done.stdout
    assert "direct messages with confirmation" in done.stdout
    assert units(server)["unitBytes"] == UNIT
    assert units(server)["sinceMillis"] > 1_600_000_000_000


def test_the_counts_begin_anew_with_the_process(start):
    first = start("usage-restart")
    try:
        device_free = BotoSender(first, first.admin)
        device_free.publish("e2e/anew", qos=0, payload=b"x")
        wait_until(lambda: units(first)["publishesIn"] == 1, "a publish")
        since = units(first)["sinceMillis"]
    finally:
        assert first.stop() == 0
    second = type(first)(first.folder)
    try:
        assert units(second)["publishesIn"] == 0
        assert units(second)["sinceMillis"] > since
    finally:
        assert second.stop() == 0


def test_mistakes_are_told(server, tmp_path):
    nobody = usage("--dir", tmp_path)
    assert nobody.returncode == 1 and "no server seems to run" in nobody.stderr
    refused = usage("--admin", "http://127.0.0.1:1")
    assert refused.returncode == 1 and "cannot connect" in refused.stderr
    tls = usage("--admin", server.url("https"))
    assert tls.returncode == 1 and "no TLS" in tls.stderr
    other = usage("--admin", server.url("http"))
    assert other.returncode == 1 and "metrics" in other.stderr
    mqtt = usage("--admin", f"http://127.0.0.1:{server.port('mqtt')}")
    assert mqtt.returncode == 1 and mqtt.stderr
