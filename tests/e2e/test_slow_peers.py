"""Peers that take their time: none may hold a connection or the server's memory for long."""

import concurrent.futures
import json
import socket
import time

import h2.errors
import pytest

from harness import packets, signing
from harness.answer import check_shape
from harness.http2_stream import Http2Stream
from harness.senders import RawSender
from harness.wire_device import WireDevice, open_socket, read_to_end

TOPIC = "e2e/lamp"

# What a slow peer says before it falls silent, by listener; None is an unfinished TLS handshake.
SLOW = {
    "mqtt, nothing": ("mqtt", b""),
    "mqtt, half a CONNECT": ("mqtt", packets.connect("e2e-slow")[:9]),
    "mqtts, no handshake": ("mqtts", None),
    "mqtts, half a CONNECT": ("mqtts", packets.connect("e2e-slow")[:9]),
    "https, no handshake": ("https", None),
    "https, nothing": ("https", b""),
    "https, half a head": ("https", b"POST /connections/a HTTP/1.1\r\nHost: l\r\nX: "),
    "https_x509, no handshake": ("https_x509", None),
    "https_x509, half a head": ("https_x509", b"POST /connections/a HTTP/1.1\r\nHost"),
    "wss, half a head": ("wss", b"GET /mqtt HTTP/1.1\r\nUpgrade: webso"),
    "http, nothing": ("http", b""),
    "http, half a head": ("http", b"POST /connections/a HTTP/1.1\r\nHost: l\r\n"),
    "admin, half a head": ("admin", b"GET /metrics HTTP/1.1\r\n"),
}


@pytest.fixture(scope="module")
def hasty_server(start):
    """A server with short limits, so that the test need not wait for the real ones."""
    server = start(
        "hasty",
        settings="[limits]\ntls_handshake = 2\nconnect_packet = 2\nhttp_head = 2\n"
        "http_body = 2\nhttp_idle = 2\nwrite_stall = 2\n"
        '[quotas]\nthroughput_per_connection = "unlimited"\n',
    )
    yield server
    assert server.stop() == 0


def seconds_until_closed(server, people, listener, data):
    """How long the server bears a peer that says `data` and no more."""
    if data is None:
        sock = socket.create_connection(server.address(listener))
        data = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    else:
        certificate = people.fleet if listener in ("mqtts", "https_x509") else None
        sock = open_socket(server, listener, certificate)
    with sock:
        start = time.monotonic()
        sock.settimeout(60)
        sock.sendall(data)
        read_to_end(sock)
        return time.monotonic() - start


def test_slow_beginnings_are_ended_on_every_listener(hasty_server, people):
    with concurrent.futures.ThreadPoolExecutor(len(SLOW)) as pool:
        waits = {
            name: pool.submit(seconds_until_closed, hasty_server, people, listener, data)
            for name, (listener, data) in SLOW.items()
        }
        seconds = {name: wait.result(timeout=80) for name, wait in waits.items()}
    too_slow = {name: taken for name, taken in seconds.items() if taken > 15}
    assert not too_slow, too_slow
    assert hasty_server.is_alive()


def test_a_peer_that_drips_is_ended_as_well(hasty_server):
    """A byte now and then does not renew the limit."""
    with open_socket(hasty_server, "http") as sock:
        start = time.monotonic()
        sock.settimeout(0.3)
        try:
            sock.sendall(b"POST / HTTP/1.1\r\nHost: l\r\nX: ")
            while time.monotonic() - start < 20:
                sock.sendall(b"x")
                try:
                    if not sock.recv(4096):
                        break
                except TimeoutError:
                    continue
        except ConnectionError:
            pass
        assert time.monotonic() - start < 15


def test_a_body_that_never_ends_is_ended(hasty_server):
    path = signing.message_url("", "nobody", topic=TOPIC)
    server = hasty_server
    with RawSender(server, server.admin, "http") as sender:
        headers = signing.sign(server.admin, "POST", sender.base + path, bytes(100))
        sender.connection.putrequest("POST", path, skip_host=True)
        for name, value in {**headers, "Content-Length": "100"}.items():
            sender.connection.putheader(name, value)
        sender.connection.endheaders(bytes(10))
        start = time.monotonic()
        try:
            check_shape(sender.read(), 408, "REQUEST_TIMEOUT")
        except OSError:
            pass
        assert time.monotonic() - start < 15


def test_a_body_that_is_too_large_and_never_ends_is_too_large(hasty_server):
    """What was wrong first is what the answer says, even if the rest never comes."""
    path = signing.message_url("", "nobody", topic=TOPIC)
    server = hasty_server
    with RawSender(server, server.admin, "http") as sender:
        headers = signing.sign(server.admin, "POST", sender.base + path)
        sender.connection.putrequest("POST", path, skip_host=True)
        for name, value in {**headers, "Transfer-Encoding": "chunked"}.items():
            sender.connection.putheader(name, value)
        sender.connection.endheaders()
        for _ in range(16):
            sender.connection.send(b"10000\r\n" + bytes(65536) + b"\r\n")
        check_shape(sender.read(), 413, "PAYLOAD_TOO_LARGE")


def test_a_device_that_stops_reading_is_given_up(hasty_server, people):
    """Its sender is told, its memory is bounded, and the others go on."""
    server = hasty_server
    name = "e2e-stuffed"
    sock = open_socket(server, "mqtts", people.fleet, receive_buffer=4096)
    stuffed = WireDevice(sock)
    stuffed.send(packets.connect(name))
    stuffed.expect("CONNACK")
    with WireDevice.connected(server, "e2e-reading", people.fleet) as reading, \
            RawSender(server, server.admin, "http") as sender:
        reasons = set()
        deadline = time.monotonic() + 40
        # It takes some megabytes to fill the buffers of the operating system; when nothing moves
        # any more, the connection is ended.
        while "TARGET_CLIENT_ID_NOT_FOUND" not in reasons and time.monotonic() < deadline:
            reasons.add(sender.send(name, TOPIC, bytes(120_000)).reason)
            sender.send("e2e-reading", TOPIC, b"x")
            assert reading.message().payload == b"x"
            time.sleep(0.02)
        assert reasons - {None, "RECEIVE_SESSION_THROTTLED"} == {
            "CLIENT_ENDPOINT_NOT_WRITABLE", "TARGET_CLIENT_ID_NOT_FOUND"
        }
        server.log.wait_for(eventType="Disconnect", clientId=name)
    sock.close()


def test_a_stream_of_http2_that_is_given_no_room_is_reset(hasty_server):
    """Its reader keeps the connection; what is made for it and its places are free again."""
    body = json.dumps({"clientIds": ["nobody"], "topic": TOPIC}).encode()
    stream = Http2Stream(hasty_server, "/direct-messages", body, window=0)
    with stream.sock:
        stream.sock.settimeout(60)
        assert stream.end() == h2.errors.ErrorCodes.CANCEL
        assert stream.is_open()
