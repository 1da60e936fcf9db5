"""Packets that the standards forbid: each closes the connection it came on."""

import pytest

from harness import packets
from harness.packets import framed, text

LONG_INT = b"\x80\x00"

# For both versions: first byte, and the body by version.
MALFORMED = {
    # [MQTT-2.1.3-1], [MQTT3-2.2.2-1], [MQTT3-2.2.2-2] and those of each packet
    "PUBREL with flags 0": (0x60, b"\x00\x01"),  # [MQTT-3.6.1-1], [MQTT3-3.6.1-1]
    "PINGREQ with flags 1": (0xC1, b""),
    "PUBACK with flags 2": (0x42, b"\x00\x01"),
    "DISCONNECT with flags 1": (0xE1, b""),  # [MQTT-3.14.1-1], [MQTT3-3.14.1-1]
    "a reserved packet type": (0x00, b""),
    # [MQTT-3.3.1-4], [MQTT3-3.3.1-4]
    "PUBLISH with QoS 3": (0x36, text("a") + b"\x00\x01\x00"),
    # [MQTT-3.3.1-2], [MQTT3-3.3.1-2]
    "PUBLISH with DUP and QoS 0": (0x38, text("a") + b"\x00"),
    # [MQTT-2.2.1-3], [MQTT3-2.3.1-1]
    "PUBLISH with packet ID 0": (0x32, text("a") + b"\x00\x00\x00"),
    # [MQTT-3.3.2-2], [MQTT3-3.3.2-2], [MQTT-4.7.0-1], [MQTT3-4.7.1-1]
    "PUBLISH with #": (0x30, text("a/#") + b"\x00"),
    "PUBLISH with +": (0x30, text("a/+/b") + b"\x00"),
    # [MQTT-1.5.4-1], [MQTT3-1.5.3-1], [MQTT-3.3.2-1], [MQTT3-3.3.2-1]
    "PUBLISH to ill-formed UTF-8": (0x30, text(b"a\xff") + b"\x00"),
    "PUBLISH to a surrogate": (0x30, text(b"\xed\xa0\x80") + b"\x00"),
    # [MQTT-1.5.4-2], [MQTT3-1.5.3-2], [MQTT-4.7.3-2], [MQTT3-4.7.3-2]
    "PUBLISH to U+0000": (0x30, text("a\0") + b"\x00"),
    "packets that only a server sends": (0x90, b"\x00\x01\x00\x00"),
}

MALFORMED_3 = {
    "PUBLISH without a topic": (0x30, text("")),  # [MQTT3-4.7.3-1]
    "SUBSCRIBE with flags 0": (0x80, b"\x00\x01" + text("a") + b"\x00"),  # [MQTT3-3.8.1-1]
    "SUBSCRIBE without a filter": (0x82, b"\x00\x01"),  # [MQTT3-3.8.3-3]
    # [MQTT3-3.8.3-4]
    "SUBSCRIBE with a reserved bit": (0x82, b"\x00\x01" + text("a") + b"\x04"),
    "SUBSCRIBE with QoS 3": (0x82, b"\x00\x01" + text("a") + b"\x03"),
    # [MQTT3-3.8.3-1]
    "SUBSCRIBE to ill-formed UTF-8": (0x82, b"\x00\x01" + text(b"\xff") + b"\x00"),
    "SUBSCRIBE with packet ID 0": (0x82, b"\x00\x00" + text("a") + b"\x00"),  # [MQTT3-2.3.1-1]
    "UNSUBSCRIBE with flags 0": (0xA0, b"\x00\x01" + text("a")),  # [MQTT3-3.10.1-1]
    "UNSUBSCRIBE without a filter": (0xA2, b"\x00\x01"),  # [MQTT3-3.10.3-2]
    # [MQTT3-3.10.3-1]
    "UNSUBSCRIBE from ill-formed UTF-8": (0xA2, b"\x00\x01" + text(b"\xff")),
}

MALFORMED_5 = {
    # [MQTT-4.7.3-1]
    "PUBLISH without a topic and an alias": (0x30, text("") + b"\x00"),
    "PUBLISH without a property length": (0x30, text("a")),  # [MQTT-2.2.2-1]
    "a property length not in its shortest form": (0x30, text("a") + LONG_INT),  # [MQTT-1.5.5-1]
    # [MQTT-3.3.2-8]
    "a topic alias of 0": (0x30, text("a") + packets.properties(topic_alias=0)),
    # [MQTT-3.3.4-6]
    "a client's subscription identifier": (
        0x30, text("a") + packets.properties(subscription_identifier=1)),
    # [MQTT-3.3.2-14]
    "a response topic with a wildcard": (
        0x30, text("a") + packets.properties(response_topic="a/+")),
    # [MQTT-3.3.2-13]
    "a response topic that is not UTF-8": (
        0x30, text("a") + packets.properties(response_topic=b"\xff")),
    # [MQTT-3.3.2-19]
    "a content type that is not UTF-8": (
        0x30, text("a") + packets.properties(content_type=b"\xff")),
    # [MQTT-1.5.7-1]
    "a user property that is not UTF-8": (
        0x30, text("a") + packets.properties(user_property=("a", b"\xff"))),
    "SUBSCRIBE with flags 0": (0x80, b"\x00\x01\x00" + text("a") + b"\x00"),  # [MQTT-3.8.1-1]
    "SUBSCRIBE without a filter": (0x82, b"\x00\x01\x00"),  # [MQTT-3.8.3-2]
    # [MQTT-3.8.3-5]
    "SUBSCRIBE with reserved bits": (0x82, b"\x00\x01\x00" + text("a") + b"\xc0"),
    # [MQTT-3.8.3-4]
    "SUBSCRIBE no-local to a share": (0x82, b"\x00\x01\x00" + text("$share/g/a") + b"\x04"),
    # [MQTT-3.8.3-1]
    "SUBSCRIBE to ill-formed UTF-8": (0x82, b"\x00\x01\x00" + text(b"\xff") + b"\x00"),
    "UNSUBSCRIBE with flags 0": (0xA0, b"\x00\x01\x00" + text("a")),  # [MQTT-3.10.1-1]
    "UNSUBSCRIBE without a filter": (0xA2, b"\x00\x01\x00"),  # [MQTT-3.10.3-2]
    # [MQTT-3.10.3-1]
    "UNSUBSCRIBE from ill-formed UTF-8": (0xA2, b"\x00\x01\x00" + text(b"\xff")),
    "AUTH with flags 1": (0xF1, b""),  # [MQTT-3.15.1-1]
    # [MQTT-3.14.2-1]
    "DISCONNECT with a code of another packet": (0xE0, b"\x01"),
}


def cases():
    """Version, first byte and body of each, by name."""
    for versions, table in (((3, 5), MALFORMED), ((3,), MALFORMED_3), ((5,), MALFORMED_5)):
        for name, (first_byte, body) in table.items():
            for version in versions:
                yield pytest.param(version, first_byte, body, id=f"{name}-{version}")


@pytest.mark.parametrize(("version", "first_byte", "body"), cases())
def test_a_malformed_packet_closes_the_connection(connect, version, first_byte, body):
    """[MQTT-4.13.1-1], [MQTT-4.13.2-1], [MQTT3-4.8.0-1]; MQTT 3.1.1 has no DISCONNECT for it."""
    device = connect(version=version)
    device.send(framed(first_byte, body) + packets.PINGREQ)
    goodbye = device.end()
    assert version == 5 or goodbye == []
    assert all(packet.kind == "DISCONNECT" and packet.reason() >= 0x80 for packet in goodbye)
