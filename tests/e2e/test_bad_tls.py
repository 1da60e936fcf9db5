"""TLS peers that break off, send records in pieces, or end with their handshake."""

import socket
import ssl
import time

import pytest

PATIENCE = 10


def client_hello(maximum):
    """The first flight of a client, and what is needed to go on with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = maximum
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return client, incoming, outgoing


def connect(server, listener):
    host, port = server.address(listener)
    return socket.create_connection((host, port), timeout=PATIENCE)


def rest_of(peer):
    """Everything until the server closes."""
    received = b""
    try:
        while fresh := peer.recv(65536):
            received += fresh
    except ConnectionResetError:
        pass
    return received


@pytest.mark.parametrize("listener", ["https", "mqtts"])
def test_half_a_handshake_message_and_then_an_alert_ends_that_connection_alone(server, listener):
    _, _, outgoing = client_hello(ssl.TLSVersion.TLSv1_2)
    hello = outgoing.read()
    for _ in range(4):
        with connect(server, listener) as peer:
            peer.sendall(hello)
            assert peer.recv(65536), "a ServerHello"
            # A ClientKeyExchange of which one byte comes, then a warning.
            peer.sendall(bytes.fromhex("1603030005100000212015030300020100"))
            rest_of(peer)
    # Every thread of the server still serves.
    for _ in range(8):
        with connect(server, "http") as peer:
            peer.sendall(b"GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n")
            assert peer.recv(65536).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_handshake_may_come_in_any_pieces(server, size):
    client, incoming, outgoing = client_hello(ssl.TLSVersion.TLSv1_3)
    with connect(server, "https") as peer:
        while True:
            flight = outgoing.read()
            for start in range(0, len(flight), size):
                peer.sendall(flight[start : start + size])
                time.sleep(0.0005)
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(peer.recv(65536))
        client.write(b"GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n")
        flight = outgoing.read()
        for start in range(0, len(flight), size):
            peer.sendall(flight[start : start + size])
        while True:
            incoming.write(peer.recv(65536))
            try:
                assert client.read(65536).startswith(b"HTTP/1.1 404 ")
                return
            except ssl.SSLWantReadError:
                pass


def test_an_end_right_behind_the_handshake_is_seen(server):
    for _ in range(10):
        client, incoming, outgoing = client_hello(ssl.TLSVersion.TLSv1_3)
        with connect(server, "https") as peer:
            peer.sendall(outgoing.read())
            incoming.write(peer.recv(65536))
            while True:
                try:
                    client.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    incoming.write(peer.recv(65536))
            peer.sendall(outgoing.read())
            peer.shutdown(socket.SHUT_WR)
            # Not after the idle time, which is longer than a receive may take here.
            rest_of(peer)


def test_data_and_a_goodbye_in_one_piece_are_both_heard(server):
    client, incoming, outgoing = client_hello(ssl.TLSVersion.TLSv1_3)
    with connect(server, "https") as peer:
        peer.sendall(outgoing.read())
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(peer.recv(65536))
        client.write(b"POST /connections/nobody/messages?topic=t HTTP/1.1\r\nHost: h\r\n\r\n")
        with pytest.raises(ssl.SSLWantReadError):
            client.unwrap()
        peer.sendall(outgoing.read())
        assert rest_of(peer), "an answer, and then the end"


@pytest.mark.parametrize("cut", [3, 12, 16, 20, 23])
def test_the_preface_of_http2_may_come_in_two_pieces(server, cut):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    with connect(server, "http") as peer:
        peer.sendall(preface[:cut])
        time.sleep(0.05)
        peer.sendall(preface[cut:] + settings)
        assert peer.recv(65536)[3:4] == b"\x04", "the server's SETTINGS"


def test_urgent_data_loses_nothing_behind_it(server):
    with connect(server, "http") as peer:
        peer.sendall(b"POST /connections/nobody/messages?topic=t HTTP/1.1\r\nHost: h\r\nX-A: ")
        peer.send(b"u", socket.MSG_OOB)
        peer.sendall(b"b\r\nContent-Length: 1\r\n\r\nx")
        assert peer.recv(65536).startswith(b"HTTP/1.1 ")
