"""Who is let in by certificate, and who is dropped."""

import socket
import ssl

import pytest

from harness import packets
from harness.patience import wait_until
from harness.wire_device import WireDevice, open_socket, read_to_end, tls_context

REASONS = {
    "stranger": "DEVICE_CERTIFICATE_NOT_REGISTERED",
    "inactive": "DEVICE_CERTIFICATE_INACTIVE",
    "revoked": "DEVICE_CERTIFICATE_REVOKED",
}


def is_dropped(act):
    """Whether the server drops the connection without a word of the inner protocol."""
    try:
        return act() in (None, b"")
    except (ConnectionError, ssl.SSLError):
        return True


@pytest.mark.parametrize("who", REASONS)
@pytest.mark.parametrize(
    ("listener", "alpn"),
    [("mqtts", []), ("https", ["x-amzn-mqtt-ca"]), ("https_x509", []),
     ("https", ["x-amzn-http-ca"])],
)
def test_certificates_that_are_not_active_are_dropped(server, people, log, who, listener, alpn):
    mark = log.mark()
    certificate = getattr(people, who)

    def connect_and_speak():
        sock = open_socket(server, listener, certificate, alpn)
        with sock:
            if listener == "mqtts" or alpn == ["x-amzn-mqtt-ca"]:
                sock.sendall(packets.connect("e2e-nobody"))
            else:
                sock.sendall(b"POST /connections/a/messages?topic=b HTTP/1.1\r\nHost: l\r\n\r\n")
            return sock.recv(100)

    assert is_dropped(connect_and_speak)
    entry = wait_until(
        lambda: log.since(mark, eventType="Connection.AuthNError", reason=REASONS[who]),
        "the entry of this connection",
    )[-1]
    assert (entry["status"], entry["logLevel"]) == ("Failure", "ERROR")
    assert entry["authenticationType"] == "AWS_X509"
    assert entry["sourceIp"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("listener", "alpn"), [("mqtts", []), ("https", ["x-amzn-mqtt-ca"])]
)
def test_a_device_without_a_certificate_is_dropped(server, listener, alpn):
    def connect_and_speak():
        with open_socket(server, listener, None, alpn) as sock:
            sock.sendall(packets.connect("e2e-nobody"))
            return WireDevice(sock).packet()

    assert is_dropped(connect_and_speak)


@pytest.mark.parametrize("listener", ["https", "mqtts", "https_x509"])
def test_a_protocol_that_nobody_offers_is_refused(server, people, listener):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with open_socket(server, listener, people.fleet, ["telepathy"]) as sock:
            # TLS 1.3 tells the client about the refusal in its first read at the latest.
            sock.sendall(b"anything")
            if not sock.recv(1):
                raise ConnectionError("closed")


@pytest.mark.parametrize("listener", ["https", "mqtts", "https_x509", "wss"])
def test_garbage_instead_of_a_handshake(server, listener):
    with socket.create_connection(server.address(listener), timeout=20) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        rest = read_to_end(sock)
        # At most an alert: record type 21.
        assert rest == b"" or rest[0] == 21, rest


def test_another_key_for_a_registered_certificate_is_refused(server, people, tmp_path):
    """The certificate is public; only its key proves who somebody is."""
    with pytest.raises(ssl.SSLError):
        context = tls_context(server.ca)
        context.load_cert_chain(people.fleet.cert, people.stranger.key)


def test_a_client_that_checks_the_server_gets_a_proper_certificate(server):
    context = tls_context(server.ca)
    for name in ("localhost", "127.0.0.1"):
        bare = socket.create_connection(server.address("https"), timeout=20)
        with context.wrap_socket(bare, server_hostname=name) as sock:
            assert sock.version() in ("TLSv1.2", "TLSv1.3")


def test_a_client_that_names_no_server_is_let_in(server, people, client_id):
    """Small devices leave the server name (SNI) out."""
    context = tls_context(server.ca, people.fleet)
    context.check_hostname = False
    bare = socket.create_connection(server.address("mqtts"), timeout=20)
    with WireDevice(context.wrap_socket(bare)) as device:
        device.send(packets.connect(client_id))
        assert device.expect("CONNACK").reason() == 0


def test_old_tls_is_refused(server):
    context = tls_context(server.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    bare = socket.create_connection(server.address("https"), timeout=20)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(bare, server_hostname="localhost")
    bare.close()
