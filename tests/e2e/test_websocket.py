"""MQTT in WebSocket frames: section 6 of both standards."""

import pytest

from harness import packets
from harness.packets import framed
from harness.websocket import BINARY, TEXT, WebSocket
from harness.wire_device import WireDevice, open_socket


@pytest.fixture
def dial(open_server):
    """Opens WebSockets on the plain listener of the open server."""
    opened = []

    def dial(**options):
        sock = open_socket(open_server, "http")
        opened.append(WebSocket(sock, f"localhost:{open_server.port('http')}", **options))
        return opened[-1]

    yield dial
    for one in opened:
        one.close()


@pytest.mark.parametrize("offer", ["mqtt", "mqttv3.1, mqtt", "chat, mqtt"])
def test_the_server_selects_mqtt(dial, offer):
    """[MQTT-6.0.0-4], [MQTT3-6.0.0-4]."""
    answer = dial(protocol=offer)
    assert (answer.status, answer.headers["sec-websocket-protocol"]) == (101, "mqtt")


@pytest.mark.parametrize("version", [3, 5])
def test_packets_begin_and_end_anywhere_in_frames(dial, client_id, version):
    """[MQTT-6.0.0-2], [MQTT3-6.0.0-2]."""
    stream = (packets.connect(client_id, version) + packets.PINGREQ
              + packets.subscribe([(f"e2e/{client_id}", 0)], 7, version)
              + packets.publish(f"e2e/{client_id}", b"x" * 50, version=version)
              + packets.PINGREQ)
    for size in (1, 3, 125):
        web_socket = dial()
        for at in range(0, len(stream), size):
            web_socket.send_frame(stream[at:at + size])
        device = WireDevice(web_socket, version)
        kinds = [device.packet().kind for _ in range(5)]
        assert sorted(kinds) == ["CONNACK", "PINGRESP", "PINGRESP", "PUBLISH", "SUBACK"]
        assert (kinds[0], kinds[-1]) == ("CONNACK", "PINGRESP")


def test_a_message_of_several_frames_is_a_part_of_the_stream(dial, client_id):
    """[MQTT-6.0.0-2], [MQTT3-6.0.0-2]."""
    web_socket = dial()
    data = packets.connect(client_id) + packets.PINGREQ
    web_socket.send_frame(data[:5], final=False)
    web_socket.send_frame(data[5:9], final=False, first=False)
    web_socket.send_frame(data[9:], first=False)
    device = WireDevice(web_socket)
    assert [device.packet().kind for _ in range(2)] == ["CONNACK", "PINGRESP"]


@pytest.mark.parametrize("version", [3, 5])
def test_a_text_frame_closes_the_connection(dial, client_id, version):
    """[MQTT-6.0.0-1], [MQTT3-6.0.0-1]."""
    device = WireDevice(dial(), version)
    device.send(packets.connect(client_id, version))
    device.expect("CONNACK")
    device.sock.send_frame(framed(0xC0, b""), kind=BINARY)
    device.expect("PINGRESP")
    device.sock.send_frame(b"\x40\x02\x00\x01", kind=TEXT)
    assert [packet.kind for packet in device.end()] in ([], ["DISCONNECT"])
