"""The life of a connection: keep-alive, take-over, session, and its log entries."""

import time

import pytest

from harness import packets
from harness.wire_device import WireDevice, open_socket


def test_ping_and_server_keep_alive(wire, client_id):
    device = wire(keep_alive=5)
    # AWS raises anything below 30 seconds.
    assert device.connack.properties()["server_keep_alive"] == 30
    assert device.is_silent()


@pytest.mark.parametrize("asked", [0, 1201, 65535])
def test_long_keep_alives_are_cut(wire, asked):
    properties = wire(keep_alive=asked).connack.properties()
    assert properties["server_keep_alive"] == 1200


def test_the_connack_announces_what_the_server_can(wire):
    """[MQTT-3.2.2-9]."""
    properties = wire(session_expiry_interval=600000).connack.properties()
    assert properties["receive_maximum"] == 100
    assert properties["maximum_packet_size"] == 149504
    assert properties["topic_alias_maximum"] == 8
    assert properties["maximum_qos"] == 1
    assert properties["session_expiry_interval"] == 3600
    assert properties.get("subscription_identifier_available") == 0


@pytest.mark.parametrize("version", [3, 5])
def test_a_silent_device_is_dropped_after_its_keep_alive(open_server, client_id, version):
    with WireDevice.connected(open_server, client_id, listener="mqtt", version=version,
                              keep_alive=1) as device:
        start = time.monotonic()
        rest = device.end(seconds=20)
        assert time.monotonic() - start > 1.2
        codes = [(packet.kind, packet.reason()) for packet in rest]
        assert codes == ([("DISCONNECT", 0x8D)] if version == 5 else [])
    entry = open_server.log.wait_for(eventType="Disconnect", clientId=client_id)
    assert entry["disconnectReason"] == "MQTT_KEEP_ALIVE_TIMEOUT"


def test_a_pinging_device_stays(open_server, client_id):
    with WireDevice.connected(open_server, client_id, listener="mqtt", keep_alive=1) as device:
        deadline = time.monotonic() + 2.5
        while time.monotonic() < deadline:
            assert device.is_silent()
            time.sleep(0.4)


@pytest.mark.parametrize("version", [3, 5])
def test_the_newer_connection_takes_over(boto, wire, client_id, log, version):
    first = wire(version=version)
    second = wire(version=version)
    codes = [(packet.kind, packet.reason()) for packet in first.end()]
    assert codes == ([("DISCONNECT", 0x8E)] if version == 5 else [])
    boto.send(client_id, "e2e/lamp", payload=b"to the second")
    assert second.message().payload == b"to the second"
    entry = log.wait_for(eventType="Disconnect", clientId=client_id)
    assert entry["disconnectReason"] == "DUPLICATE_CLIENTID"


def test_the_epoch_rises_with_each_connection(boto, wire, client_id, log):
    epochs = []
    for _ in range(2):
        wire()
        answer = boto.send(client_id, "e2e/lamp")
        epochs.append(log.the_send(answer.trace_id)["connectionEpoch"])
    assert epochs[1] > epochs[0]


def test_disconnect_ends_the_connection_cleanly(wire, client_id, log):
    device = wire()
    device.send(packets.disconnect())
    assert device.end() == []
    entry = log.wait_for(eventType="Disconnect", clientId=client_id)
    assert entry["disconnectReason"] == "CLIENT_INITIATED_DISCONNECT"


def test_a_lost_connection_is_logged_as_lost(wire, client_id, log):
    wire().close()
    entry = log.wait_for(eventType="Disconnect", clientId=client_id)
    assert entry["disconnectReason"] == "CONNECTION_LOST"


def test_an_empty_client_id_gets_a_name_from_the_server(boto, wire):
    device = wire("")
    assigned = device.connack.properties()["assigned_client_identifier"]
    boto.send(assigned, "e2e/lamp", payload=b"hello")
    assert device.message().payload == b"hello"


@pytest.mark.parametrize("bad", ["$reserved", "x" * 129])
def test_client_ids_that_nobody_could_send_to_are_refused(server, people, bad):
    """[MQTT-3.1.3-8], [MQTT-3.2.2-7]."""
    device = WireDevice(open_socket(server, "mqtts", people.fleet))
    device.send(packets.connect(bad))
    assert device.expect("CONNACK").reason() == 0x85
    assert device.end() == []


def test_a_will_beyond_the_maximum_qos_is_refused(server, people, client_id):
    """[MQTT-3.2.2-12], [MQTT-3.2.2-7]."""
    device = WireDevice(open_socket(server, "mqtts", people.fleet))
    device.send(packets.connect(client_id, will=packets.Will("e2e/gone", qos=2)))
    assert device.expect("CONNACK").reason() == 0x9B
    assert device.end() == []


def test_a_connect_without_permission(server, people, client_id):
    device = WireDevice(open_socket(server, "mqtts", people.narrow))
    device.send(packets.connect(client_id))
    assert device.expect("CONNACK").reason() == 0x87
    assert device.end() == []
    old = WireDevice(open_socket(server, "mqtts", people.narrow), version=3)
    old.send(packets.connect(client_id, version=3))
    # AWS closes the connection of an MQTT 3.1.1 client without a word.
    assert old.end() == []


def test_too_small_a_maximum_packet_size_is_refused(server, people, client_id):
    device = WireDevice(open_socket(server, "mqtts", people.fleet))
    device.send(packets.connect(client_id, maximum_packet_size=511))
    packet = device.packet()
    assert packet is None or packet.reason() >= 0x80


def test_the_connect_entry_says_who_and_from_where(wire, client_id, log, people):
    device = wire()
    entry = log.wait_for(eventType="Connect", clientId=client_id)
    assert entry["principalId"] == people.fleet.certificate_id
    assert entry["sourceIp"] == "127.0.0.1"
    assert entry["sourcePort"] == device.sock.getsockname()[1]


def test_a_session_that_waits_for_its_device_holds_up_nobody(open_server, client_id):
    """Seconds after a device with a session left, the deadlines of all others are still kept."""
    WireDevice.connected(open_server, client_id, listener="mqtt",
                         session_expiry_interval=600).disconnect()
    until = time.monotonic() + 18
    n = 0
    while time.monotonic() < until:
        n += 1
        with WireDevice.connected(open_server, f"{client_id}-{n}", listener="mqtt",
                                  keep_alive=2) as device:
            assert [packet.reason() for packet in device.end(seconds=20)] == [0x8D]
