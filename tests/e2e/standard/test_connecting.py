"""CONNECT and CONNACK: sections 3.1 and 3.2 of both standards."""

import time

import pytest

from harness import packets
from harness.fence import payloads
from harness.packets import Will, framed, text

NO_PROPERTIES = {3: b"", 5: b"\x00"}
LEVEL = {3: 4, 5: 5}
REFUSED = 0x80


def raw_connect(version, flags, rest, name="MQTT", level=None):
    """A CONNECT with these flags, which may be wrong."""
    head = text(name) + bytes([level or LEVEL[version], flags]) + b"\x00\x3c"
    return framed(0x10, head + NO_PROPERTIES[version] + rest)


def test_an_accepted_connect_is_answered_first_of_all(connect, version):
    """[MQTT-3.1.4-5], [MQTT3-3.1.4-4], [MQTT-3.2.0-1], [MQTT3-3.2.0-1], [MQTT-3.2.2-1],
    [MQTT-3.2.2-2], [MQTT3-3.2.2-1]; over TCP [MQTT-4.2.0-1], [MQTT3-7.1.1-1]."""
    connack = connect(version=version).connack
    assert connack.body[:2] == b"\x00\x00"


def test_anything_but_connect_first_closes_the_connection(dial, version):
    """[MQTT-3.1.0-1], [MQTT3-3.1.0-1], [MQTT-3.14.0-1]."""
    for first in (packets.PINGREQ, packets.publish("a", b"x", version=version),
                  packets.subscribe([("a", 0)], version=version), packets.disconnect(version)):
        device = dial(version)
        device.send(first)
        assert [packet.kind for packet in device.end()] == []


def test_a_second_connect_closes_the_connection(connect, client_id, version):
    """[MQTT-3.1.0-2], [MQTT3-3.1.0-2], [MQTT-3.2.0-2]."""
    device = connect(client_id, version)
    device.send(packets.connect(client_id, version))
    goodbye = [packet.kind for packet in device.end()]
    assert goodbye in ([], ["DISCONNECT"] if version == 5 else [])


@pytest.mark.parametrize("what", ["a reserved flag", "a Will QoS without a Will", "Will QoS 3",
                                  "no client ID", "a client ID that is not UTF-8",
                                  "a client ID with U+0000", "more than its fields",
                                  "a user name that is missing"])
def test_a_malformed_connect_closes_the_connection(dial, version, what):
    """[MQTT-3.1.4-1], [MQTT-3.14.0-1]; for MQTT 3.1.1 without CONNACK [MQTT3-3.1.4-1],
    [MQTT3-3.1.2-3], [MQTT-3.1.2-3]."""
    flags, rest = {
        "a reserved flag": (3, text("a")),
        "a Will QoS without a Will": (0x0A, text("a")),
        "Will QoS 3": (0x1E, text("a") + NO_PROPERTIES[version] + text("t") + text("")),
        "no client ID": (2, b""),
        "a client ID that is not UTF-8": (2, text(b"\xed\xa0\x80")),
        "a client ID with U+0000": (2, text("a\0")),
        "more than its fields": (2, text("a") + text("b")),
        "a user name that is missing": (0x82, text("a")),
    }[what]
    device = dial(version)
    device.send(raw_connect(version, flags, rest))
    answers = device.end()
    if version == 3:
        assert answers == []
    assert all(answer.kind == "CONNACK" and answer.reason() >= REFUSED for answer in answers)


def test_an_unknown_protocol_level_is_refused_by_name(dial):
    """[MQTT3-3.1.2-2], [MQTT-3.1.2-2]."""
    for level in (6, 127):
        device = dial()
        device.send(raw_connect(3, 2, text("a"), level=level))
        answer, = device.end()
        assert answer.kind == "CONNACK"
        assert answer.reason() in (0x01, 0x84)


def test_another_protocol_name_is_not_served(dial, version):
    """[MQTT-3.1.2-1], [MQTT3-3.1.2-1]."""
    for name in ("MQTX", "mqtt", ""):
        device = dial(version)
        device.send(raw_connect(version, 2, text("a"), name=name) + packets.PINGREQ)
        assert all(answer.kind == "CONNACK" and answer.reason() for answer in device.end())


def test_letters_and_digits_are_a_client_id(connect, client_id, version):
    """[MQTT-3.1.3-5], [MQTT3-3.1.3-5]."""
    for name in ("Z", "0", client_id.ljust(23, "z"), "abcdefghijklmnopqrstuvw",
                 "xyzABCDEFGHIJKLMNOPQRST", "UVWXYZ0123456789"):
        assert connect(name, version).connack.reason() == 0


def test_a_client_without_an_id_is_given_one_of_its_own(connect):
    """[MQTT-3.1.3-6], [MQTT-3.1.3-7], [MQTT-3.2.2-16]."""
    one, two = (connect("", session_expiry_interval=60) for _ in range(2))
    names = [device.connack.properties()["assigned_client_identifier"] for device in (one, two)]
    assert names[0] and names[0] != names[1]
    one.leave()
    assert connect(names[0], clean=False).connack.session_present
    assert two.is_silent()


def test_mqtt_311_clients_without_an_id_are_kept_apart(connect):
    """[MQTT3-3.1.3-6]."""
    one, two = connect("", version=3), connect("", version=3)
    assert one.is_silent() and two.is_silent()


def test_a_mqtt_311_client_without_an_id_needs_a_clean_session(dial, publisher, topic, connect):
    """[MQTT3-3.1.3-8], [MQTT3-3.1.3-9], [MQTT3-3.2.2-4], [MQTT3-3.2.2-5]; what follows is not
    processed [MQTT3-3.1.4-5]."""
    witness = connect()
    witness.subscribe(topic)
    device = dial(3)
    device.send(packets.connect("", 3, clean=False) + packets.publish(topic, b"no", version=3))
    assert [packet.body for packet in device.end()] == [b"\x00\x02"]
    assert payloads(witness, publisher) == []


def test_a_refused_connect_closes_and_nothing_after_it_is_processed(
        dial, publisher, connect, topic, client_id):
    """[MQTT-4.12.0-1], [MQTT-3.1.4-2], [MQTT-3.1.4-6], [MQTT-3.2.2-6], [MQTT-3.2.2-7],
    [MQTT-4.13.2-1]."""
    witness = connect()
    witness.subscribe(topic)
    device = dial()
    method = packets.connect(client_id, authentication_method="nobody knows it")
    device.send(method + packets.publish(topic, b"no"))
    answers = device.end()
    assert [answer.body[:2] for answer in answers] in ([], [b"\x00\x8c"], [b"\x00\x87"])
    assert payloads(witness, publisher) == []


def test_a_client_that_names_no_method_sees_nothing_of_authentication(connect):
    """[MQTT-4.12.0-6], [MQTT-4.12.0-7]."""
    device = connect()
    assert "authentication_method" not in device.connack.properties()
    device.send(b"\xf0\x00")
    assert [packet.kind for packet in device.end()] in ([], ["DISCONNECT"])


def test_response_information_comes_only_on_request(connect):
    """[MQTT-3.1.2-28]."""
    for asked in ({}, {"request_response_information": 0}):
        assert "response_information" not in connect(**asked).connack.properties()


def test_packets_may_follow_connect_at_once(dial, client_id, version):
    """[MQTT-3.2.0-1], [MQTT3-3.2.0-1], [MQTT-3.12.4-1], [MQTT3-3.12.4-1]."""
    device = dial(version)
    device.send(packets.connect(client_id, version)
                + packets.subscribe([("a", 0)], version=version) + packets.PINGREQ)
    assert [device.packet().kind for _ in range(3)] == ["CONNACK", "SUBACK", "PINGRESP"]


def test_the_older_connection_of_a_client_id_is_closed(connect, client_id, version):
    """[MQTT-3.1.4-3], [MQTT3-3.1.4-2], [MQTT-3.1.3-2], [MQTT3-3.1.3-2]; the server's DISCONNECT is
    the last it says [MQTT-3.14.4-1], [MQTT-3.14.4-2] and has no expiry [MQTT-3.14.2-2],
    [MQTT-4.13.2-1]."""
    older = connect(client_id, version)
    newer = connect(client_id, version)
    goodbye = older.end()
    assert newer.is_silent()
    if version == 3:
        assert goodbye == []
    else:
        assert [(packet.kind, packet.reason()) for packet in goodbye] == [("DISCONNECT", 0x8E)]
        assert "session_expiry_interval" not in goodbye[0].properties()


def test_silence_beyond_the_keep_alive_closes_the_connection(connect, publisher, topic, version):
    """[MQTT-3.1.2-22], [MQTT3-3.1.2-24] as if the network had failed: the Will is published
    [MQTT-3.1.2-8], [MQTT3-3.1.2-8]. The client's keep-alive counts [MQTT-3.2.2-22]."""
    publisher.subscribe(topic)
    start = time.monotonic()
    device = connect(version=version, keep_alive=1, will=Will(topic, b"silent"))
    assert version == 3 or "server_keep_alive" not in device.connack.properties()
    goodbye = [packet.kind for packet in device.end()]
    assert time.monotonic() - start >= 1
    assert goodbye in ([], ["DISCONNECT"] if version == 5 else [])
    assert publisher.message().payload == b"silent"


def test_a_ping_is_answered(connect, version):
    """[MQTT-3.12.4-1], [MQTT3-3.12.4-1]."""
    device = connect(version=version)
    device.send(packets.PINGREQ * 3)
    assert [device.packet().kind for _ in range(3)] == ["PINGRESP"] * 3
