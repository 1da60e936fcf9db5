"""MQTT that is wrong: a clean close with the right reason, and nobody else disturbed."""

import random

import pytest

from harness import packets, signing
from harness.packets import framed, text
from harness.websocket import WebSocket
from harness.wire_device import WireDevice, open_socket, read_to_end

TOPIC = "e2e/lamp"


@pytest.fixture
def bystander(boto, wire, client_id):
    """A device that is connected before and has to be reachable after."""
    device = wire(f"{client_id}-bystander")
    yield device
    boto.send(f"{client_id}-bystander", TOPIC, payload=b"still there")
    assert device.message().payload == b"still there"


@pytest.fixture
def newcomer(server, people, bystander):
    """A TLS connection on which nothing was said yet."""
    with WireDevice(open_socket(server, "mqtts", people.fleet)) as device:
        yield device


FIRST_PACKETS = {
    "nothing of MQTT": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a ping first": packets.PINGREQ,
    "a publish first": packets.publish(TOPIC, b"x"),
    "another protocol name": framed(0x10, text("MQTX") + b"\x05\x02\x00\x3c\x00" + text("a")),
    "a reserved flag": framed(0x10, text("MQTT") + b"\x05\x03\x00\x3c\x00" + text("a")),
    "no client ID at all": framed(0x10, text("MQTT") + b"\x05\x02\x00\x3c\x00"),
    "trailing bytes": framed(0x10, text("MQTT") + b"\x05\x02\x00\x3c\x00" + text("a") + b"!!"),
    "a client ID that is not UTF-8": framed(
        0x10, text("MQTT") + b"\x05\x02\x00\x3c\x00" + text(b"\xff\xfe")),
    "a client ID with a zero": framed(
        0x10, text("MQTT") + b"\x05\x02\x00\x3c\x00" + text("a\0b")),
    "a property twice": framed(
        0x10, text("MQTT") + b"\x05\x02\x00\x3c\x0a" + b"\x11\0\0\0\1" * 2 + text("a")),
    "an unknown property": framed(
        0x10, text("MQTT") + b"\x05\x02\x00\x3c\x02\x7f\x00" + text("a")),
    "a receive maximum of zero": packets.connect("e2e-zero", receive_maximum=0),
    "a length of five bytes": b"\x10\xff\xff\xff\xff\x01",
    "packet type zero": b"\x00\x00",
    "a will with wildcards": framed(
        0x10,
        text("MQTT") + b"\x05\x06\x00\x3c\x00" + text("a") + b"\x00" + text("a/#") + text(""),
    ),
}


@pytest.mark.parametrize("data", FIRST_PACKETS.values(), ids=FIRST_PACKETS.keys())
def test_a_malformed_beginning_is_closed(newcomer, data):
    newcomer.send(data)
    for packet in newcomer.end():
        assert packet.kind in ("CONNACK", "DISCONNECT")
        assert packet.reason() >= 0x80


def test_an_unsupported_version_is_named(newcomer):
    newcomer.send(framed(0x10, text("MQTT") + b"\x09\x02\x00\x3c\x00" + text("a")))
    packets_before_the_end = newcomer.end()
    if packets_before_the_end:
        assert packets_before_the_end[0].kind == "CONNACK"
        assert packets_before_the_end[0].reason() in (0x01, 0x84)


def test_an_oversized_connect_is_closed_before_it_was_read(newcomer):
    # 200 MB announced; the server may not wait for them, let alone keep room for them.
    newcomer.send(b"\x10" + packets.variable_int(200_000_000) + text("MQTT"))
    newcomer.end(seconds=20)


LATER_PACKETS = {
    "a second CONNECT": (packets.connect("e2e-second"), {0x82}),
    "an oversized packet": (b"\x30" + packets.variable_int(150_000) + bytes(10), {0x95}),
    "a payload beyond the quota": (packets.publish(TOPIC, bytes(131073)), {0x95, 0x97, 0x99}),
    "a publish with wildcards": (packets.publish("e2e/#", b"x"), {0x81, 0x82, 0x90}),
    "a publish at QoS 2": (packets.publish(TOPIC, b"x", qos=2), {0x9B}),
    "a publish at QoS 3": (packets.publish(TOPIC, b"x", qos=3), {0x81}),
    "a publish with packet ID zero": (
        packets.publish(TOPIC, b"x", qos=1, packet_id=0), {0x81, 0x82}),
    "a publish without a topic": (packets.publish("", b"x"), {0x81, 0x82, 0x90, 0x94}),
    "a topic alias beyond the maximum": (packets.publish(TOPIC, b"x", topic_alias=9), {0x94}),
    "a topic alias of zero": (packets.publish(TOPIC, b"x", topic_alias=0), {0x94, 0x82, 0x81}),
    "a topic that is not UTF-8": (packets.publish(b"\xff\xfe", b"x"), {0x81, 0x90}),
    "a subscribe with wrong flags": (b"\x80" + packets.subscribe([("a", 1)])[1:], {0x81}),
    "a subscribe without filters": (framed(0x82, b"\x00\x01\x00"), {0x81, 0x82}),
    "a subscription identifier": (
        framed(0x82, b"\x00\x01\x02\x0b\x01" + text("e2e/a") + b"\x01"), {0xA1}),
    "a subscribe with a bad QoS": (packets.subscribe([("e2e/a", 3)]), {0x81, 0x82}),
    "a PUBACK cut short": (b"\x40\x01\x00", {0x81}),
    "a CONNACK from a client": (b"\x20\x03\x00\x00\x00", {0x81, 0x82}),
    "an AUTH without a method": (b"\xf0\x00", {0x81, 0x82}),
    "a ping with a body": (b"\xc0\x01\x00", {0x81}),
    "a reserved packet type": (b"\x00\x00", {0x81}),
    "a length of five bytes": (b"\x30\xff\xff\xff\xff\x01", {0x81}),
    "a property of another packet": (packets.publish(TOPIC, b"x", receive_maximum=1), {0x81, 0x82}),
}


@pytest.mark.parametrize(("data", "codes"), LATER_PACKETS.values(), ids=LATER_PACKETS.keys())
def test_a_malformed_packet_ends_the_connection(wire, bystander, client_id, log, data, codes):
    device = wire()
    device.send(data)
    goodbye = device.end()[-1]
    assert goodbye.kind == "DISCONNECT"
    assert goodbye.reason() in codes, hex(goodbye.reason())
    entry = log.wait_for(eventType="Disconnect", clientId=client_id)
    assert entry["disconnectReason"] in ("CLIENT_ERROR", "FORBIDDEN_ACCESS"), entry


@pytest.mark.parametrize(("data", "codes"), list(LATER_PACKETS.values())[:4],
                         ids=list(LATER_PACKETS)[:4])
def test_a_malformed_packet_closes_an_mqtt_3_connection(wire, bystander, data, codes):
    device = wire(version=3)
    # Malformed under either version, whatever follows the topic.
    device.send(data)
    assert device.end() == []


def test_a_bad_filter_is_refused_alone(wire, bystander):
    reasons = wire().subscribe("e2e/#/deeper", "e2e/good")
    assert reasons[0] in (0x80, 0x8F)
    assert reasons[1] == 1


def test_random_bytes_never_hurt_the_server(server, people, bystander):
    source = random.Random(311)
    for _ in range(30):
        with WireDevice(open_socket(server, "mqtts", people.fleet)) as device:
            if source.random() < 0.5:
                device.send(packets.connect(f"e2e-random-{source.random()}"))
            kind = source.randrange(16) << 4 | source.choice([0, 0, 2, source.randrange(16)])
            body = source.randbytes(source.choice([0, 2, 10, 300]))
            device.send(framed(kind, body))
            # What comes first does not matter; a client that goes away mid-packet is another test.
            device.send(b"\x00\x00")
            device.end()


def test_a_client_that_goes_away_inside_a_packet(wire, bystander, client_id, log):
    device = wire()
    device.send(packets.publish(TOPIC, bytes(1000))[:500])
    device.close()
    log.wait_for(eventType="Disconnect", clientId=client_id)


def test_a_packet_in_single_bytes_is_a_packet(newcomer, client_id):
    for byte in packets.connect(client_id) + packets.PINGREQ:
        newcomer.send(bytes([byte]))
    assert newcomer.expect("CONNACK").reason() == 0
    newcomer.expect("PINGRESP")


def test_many_packets_in_one_write_are_all_handled(wire, client_id):
    device = wire()
    device.send(packets.PINGREQ * 200)
    for _ in range(200):
        device.expect("PINGRESP")


def test_web_socket_frames_that_are_wrong(server, bystander):
    """No upgrade without the subprotocol, no text frames, no unmasked frames."""
    host = f"localhost:{server.port('https')}"
    path = signing.websocket_path(server.admin, host)

    def upgrade(protocol):
        sock = open_socket(server, "https", alpn=["http/1.1"])
        return WebSocket(sock, host, path, protocol)

    without = upgrade("")
    assert without.status == 400
    without.close()
    for frame in (b"\x81\x85\0\0\0\0hello", b"\x82\x02\xc0\x00", b"\x82\xff" + b"\xff" * 8):
        upgraded = upgrade("mqtt")
        assert upgraded.status == 101
        upgraded.sock.sendall(frame)
        upgraded.settimeout(20)
        read_to_end(upgraded.sock)
        upgraded.close()
