"""HTTP that is wrong: an answer that says so or a clean close, and nobody else disturbed."""

import socket
import ssl
import time

import pytest

from harness import packets, signing
from harness.answer import check_shape
from harness.senders import RawSender
from harness.wire_device import open_socket, read_to_end

PATH = signing.message_url("", "nobody", topic="e2e/lamp")


@pytest.fixture(params=["http", "https", "https_x509"])
def sock(server, people, request):
    """A connection to each HTTP listener."""
    certificate = people.gateway if request.param == "https_x509" else None
    with open_socket(server, request.param, certificate) as opened:
        opened.settimeout(25)
        yield opened


def first_line(sock):
    """Status line of the answer; empty when the server closed without one."""
    received = b""
    try:
        while b"\r\n" not in received:
            fresh = sock.recv(65536)
            if not fresh:
                break
            received += fresh
    except (ConnectionError, ssl.SSLError):
        pass
    return received.split(b"\r\n")[0].decode()


MALFORMED = {
    "no method": b"/ HTTP/1.1\r\n\r\n",
    "a space in the path": b"POST /a b HTTP/1.1\r\nHost: l\r\n\r\n",
    "a version of its own": b"POST / HTTP/9.9\r\nHost: l\r\n\r\n",
    "a header without a colon": b"POST / HTTP/1.1\r\nHost: l\r\nnonsense\r\n\r\n",
    "a zero in a header": b"POST / HTTP/1.1\r\nHost: l\r\nA: \x00\r\n\r\n",
    "two lengths": (
        b"POST / HTTP/1.1\r\nHost: l\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
    ),
    "a length that is no number": b"POST / HTTP/1.1\r\nHost: l\r\nContent-Length: ten\r\n\r\n",
    "a negative length": b"POST / HTTP/1.1\r\nHost: l\r\nContent-Length: -1\r\n\r\n",
    "a length and chunks": (
        b"POST / HTTP/1.1\r\nHost: l\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\n"
    ),
    "a broken chunk size": (
        b"POST / HTTP/1.1\r\nHost: l\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"
    ),
    "bytes beyond ASCII in the path": b"POST /\xff\xfe HTTP/1.1\r\nHost: l\r\n\r\n",
    "binary noise": bytes(range(256)),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_requests_are_refused_or_closed(sock, data):
    sock.sendall(data)
    status = first_line(sock)
    assert status == "" or " 4" in status or " 505 " in status, status


def test_a_huge_head_is_refused(sock):
    try:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: l\r\n")
        for n in range(400):
            sock.sendall(b"X-Filler-%d: " % n + b"x" * 1000 + b"\r\n")
        sock.sendall(b"\r\n")
    except OSError:
        return
    status = first_line(sock)
    assert status == "" or " 431 " in status or " 400 " in status or " 414 " in status, status


def test_a_huge_url_is_refused(sock):
    try:
        sock.sendall(b"POST /connections/a/messages?topic=" + b"x" * 300_000)
        sock.sendall(b" HTTP/1.1\r\nHost: l\r\n\r\n")
    except OSError:
        return
    status = first_line(sock)
    assert status == "" or " 414 " in status or " 400 " in status or " 431 " in status, status


@pytest.mark.parametrize("listener", ["https", "http"])
def test_an_announced_body_that_is_too_large_is_refused_unread(server, listener):
    with RawSender(server, server.admin, listener) as sender:
        headers = signing.sign(server.admin, "POST", sender.base + PATH)
        headers["Content-Length"] = str(10**12)
        answer = sender.exchange("POST", PATH, b"", headers)
    check_shape(answer, 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("listener", ["https", "http"])
def test_a_chunked_body_that_is_too_large_is_refused_on_the_way(server, listener):
    with RawSender(server, server.admin, listener) as sender:
        headers = signing.sign(server.admin, "POST", sender.base + PATH)
        headers["Transfer-Encoding"] = "chunked"
        chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
        sender.connection.putrequest("POST", PATH, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            sender.connection.putheader(name, value)
        sender.connection.endheaders()
        try:
            for _ in range(64):
                sender.connection.send(chunk)
            sender.connection.send(b"0\r\n\r\n")
        except OSError:
            # The server stopped listening; its answer may still be there to read.
            pass
        try:
            answer = sender.read()
        except OSError:
            return
    check_shape(answer, 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "path",
    [
        "/connections/%/messages?topic=a", "/connections/%4/messages?topic=a",
        "/connections/%zz/messages?topic=a", "/connections/%ff%fe/messages?topic=a",
        "/connections/a%00b/messages?topic=a", "/connections//messages?topic=a",
    ],
)
def test_percent_encoding_errors_in_the_path(raw, path):
    answer = raw.request("POST", path)
    if answer.status == 404:
        check_shape(answer, 404, "UNKNOWN_OPERATION")
    else:
        check_shape(answer, 400, "MALFORMED_CLIENTID")


@pytest.mark.parametrize("query", ["topic=%", "topic=%4", "topic=%zz", "topic=%ff%fe"])
def test_percent_encoding_errors_in_the_query(raw, query):
    answer = raw.request("POST", f"/connections/nobody/messages?{query}")
    assert answer.status in (400, 403), answer
    check_shape(answer, answer.status, answer.reason)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "OPTIONS", "DELETE"])
def test_other_methods_are_refused(raw, method):
    answer = raw.request(method, PATH)
    check_shape(answer, 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("path", ["/connections/a/message", "/connections/a/b/c/d"])
def test_a_connection_takes_no_message_under_another_path(raw, path):
    answer = raw.request("POST", path)
    check_shape(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET, DELETE"


@pytest.mark.parametrize("path", ["/", "/connections", "/topicsy", "/mqttx", "//", "/%2F"])
def test_unknown_paths_are_named(raw, path):
    answer = raw.request("POST", path)
    check_shape(answer, 404, "UNKNOWN_OPERATION")


@pytest.mark.parametrize("listener", ["http", "https"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_the_answer_to_an_unknown_path_waits_for_the_body(server, listener, method):
    """It would be lost otherwise, with the connection that ends over a body that nobody reads; the
    connection goes on."""
    with open_socket(server, listener) as sock:
        sock.settimeout(25)
        for _ in range(2):
            sock.sendall(f"{method} /audit/x HTTP/1.1\r\nHost: l\r\nContent-Length: 2\r\n\r\n".encode())
            time.sleep(0.2)
            sock.sendall(b"{}")
            assert first_line(sock) == "HTTP/1.1 404 Not Found"


def test_a_sender_that_goes_away_inside_its_body(server):
    headers = signing.sign(server.admin, "POST", server.url("http") + PATH, bytes(1000))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(server.address("http"), timeout=20) as sock:
        sock.sendall(f"POST {PATH} HTTP/1.1\r\n{lines}Content-Length: 1000\r\n\r\n".encode())
        sock.sendall(bytes(10))


def test_mqtt_on_an_http_listener(sock):
    sock.sendall(packets.connect("e2e-lost") + b"\r\n\r\n")
    status = first_line(sock)
    assert status == "" or " 400 " in status, status


def test_http2_frames_that_are_wrong(server):
    """Noise behind the preface ends the connection, and only that."""
    with open_socket(server, "https", alpn=["h2"]) as sock:
        assert sock.selected_alpn_protocol() == "h2"
        sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        sock.sendall(bytes(range(256)) * 4)
        sock.settimeout(25)
        read_to_end(sock)


@pytest.mark.parametrize("rest", [b"POST /conn", b"\r\n"])
def test_a_request_is_answered_before_the_next_one_is_whole(open_server, rest):
    request = (b"POST /connections/nobody/messages?topic=a HTTP/1.1\r\n"
               b"Host: localhost\r\nContent-Length: 0\r\n\r\n")
    address = ("127.0.0.1", open_server.port("http"))
    with socket.create_connection(address, timeout=8) as sock:
        sock.sendall(request + rest)
        assert sock.recv(65536).startswith(b"HTTP/1.1 404")


def test_a_malformed_head_is_told_so(open_server):
    address = ("127.0.0.1", open_server.port("http"))
    with socket.create_connection(address, timeout=8) as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 400")
