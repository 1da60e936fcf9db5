"""HTTP itself: kept connections, HTTP/2, ALPN, the plain listener."""

import asyncio
import socket

import httpx
import pytest

from harness import signing
from harness.answer import Answer, check
from harness.senders import BotoSender, RawSender
from harness.wire_device import open_socket, read_to_end, tls_context

TOPIC = "e2e/lamp"


@pytest.mark.parametrize("listener", ["https", "http"])
def test_a_kept_connection_is_used_again(server, wire, client_id, log, listener):
    device = wire()
    with RawSender(server, server.admin, listener) as sender:
        sender.connection.connect()
        local = sender.connection.sock.getsockname()
        for n in range(20):
            answer = sender.send(client_id, TOPIC, bytes([n]))
            entry = check(answer, log, 200)
            assert entry["sourcePort"] == local[1]
            assert device.message().payload == bytes([n])
        assert sender.connection.sock.getsockname() == local


def test_errors_keep_the_connection(raw, log):
    for _ in range(3):
        check(raw.send("nobody", TOPIC, b"payload"), log, 404, "TARGET_CLIENT_ID_NOT_FOUND")
        check(raw.send("nobody", "#", b"payload"), log, 400, "INVALID_TOPIC")


def test_pipelined_requests_are_answered_in_order(server, log):
    sock = open_socket(server, "http")
    path = signing.message_url("", "nobody", topic=TOPIC)
    headers = signing.sign(server.admin, "POST", server.url("http") + path)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"POST {path} HTTP/1.1\r\n{lines}Content-Length: 0\r\n\r\n".encode()
    sock.sendall(request * 5)
    received = b""
    while received.count(b"TARGET_CLIENT_ID_NOT_FOUND") < 5:
        received += sock.recv(65536)
    assert received.count(b"HTTP/1.1 404") == 5
    sock.close()


def test_http_1_0(server):
    sock = open_socket(server, "http")
    path = signing.message_url("", "nobody", topic=TOPIC)
    headers = signing.sign(server.admin, "POST", server.url("http") + path)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    sock.sendall(f"POST {path} HTTP/1.0\r\n{lines}Content-Length: 0\r\n\r\n".encode())
    received = read_to_end(sock)
    assert received.startswith(b"HTTP/1.0 404") or received.startswith(b"HTTP/1.1 404")


def test_a_chunked_body(server, wire, client_id):
    device = wire()
    with RawSender(server, server.admin) as sender:
        path = signing.message_url("", client_id, topic=TOPIC)
        headers = signing.sign(server.admin, "POST", sender.base + path, b"in two parts")
        headers["Transfer-Encoding"] = "chunked"
        answer = sender.exchange("POST", path, b"6\r\nin two\r\n6\r\n parts\r\n0\r\n\r\n", headers)
    assert answer.status == 200, answer
    assert device.message().payload == b"in two parts"


def test_expect_100_continue(server, wire, client_id):
    device = wire()
    sock = open_socket(server, "http")
    path = signing.message_url("", client_id, topic=TOPIC)
    headers = signing.sign(server.admin, "POST", server.url("http") + path, b"body")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\n{lines}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    sock.sendall(head.encode())
    assert sock.recv(65536).startswith(b"HTTP/1.1 100")
    sock.sendall(b"body")
    assert sock.recv(65536).startswith(b"HTTP/1.1 200")
    assert device.message().payload == b"body"
    sock.close()


@pytest.mark.parametrize(
    ("listener", "alpn"),
    [("https", "x-amzn-http-ca"), ("https_x509", None), ("https_x509", "http/1.1")],
)
def test_x509_senders(server, people, wire, client_id, log, listener, alpn):
    device = wire()
    alpn = [alpn] if alpn else []
    with RawSender(server, None, listener, people.gateway, alpn) as sender:
        answer = sender.send(client_id, TOPIC, b"hello")
        assert sender.connection.sock.selected_alpn_protocol() == (alpn[0] if alpn else None)
    entry = check(answer, log, 200)
    assert entry["principalId"] == people.gateway.certificate_id
    assert device.message().payload == b"hello"


def test_a_device_may_send_to_itself(server, people, wire, client_id, log):
    device = wire(certificate=people.gateway)
    with RawSender(server, None, "https_x509", people.gateway) as sender:
        check(sender.send(client_id, TOPIC, b"note"), log, 200)
    assert device.message().payload == b"note"


def test_boto3_through_the_plain_listener(server, wire, client_id, log):
    device = wire()
    boto = BotoSender(server, server.admin, url=server.url("http"))
    check(boto.send(client_id, TOPIC, payload=b"hello"), log, 200)
    assert device.message().payload == b"hello"


def signed_for_httpx(server, client_id, body, **query):
    """Arguments of httpx's `post`, signed."""
    url = signing.message_url(server.url("https"), client_id, topic=TOPIC, **query)
    headers = signing.sign(server.admin, "POST", url, body)
    del headers["Host"]
    return {"url": httpx.URL(url), "headers": headers, "content": body}


def test_many_streams_of_one_http2_connection(server, wire, client_id, log):
    """Confirmed sends wait side by side on one connection."""
    device = wire()

    async def send_all():
        context = tls_context(server.ca, alpn=["h2"])
        async with httpx.AsyncClient(http2=True, verify=context, timeout=30) as client:
            requests = [
                client.post(**signed_for_httpx(server, client_id, bytes([n]), confirmation="true",
                                               timeout=15))
                for n in range(20)
            ]
            sending = asyncio.gather(*requests)
            acknowledging = asyncio.to_thread(acknowledge, 20)
            return (await asyncio.gather(sending, acknowledging))[0]

    def acknowledge(count):
        messages = [device.message() for _ in range(count)]
        for message in reversed(messages):
            device.acknowledge(message)

    for response in asyncio.run(send_all()):
        assert response.http_version == "HTTP/2"
        headers = {name.lower(): value for name, value in response.headers.items()}
        check(Answer(response.status_code, headers, response.content), log, 200)


def test_http2_streams_are_independent(server, wire, client_id):
    """An error on one stream leaves the others alone."""
    wire()
    context = tls_context(server.ca, alpn=["h2"])
    with httpx.Client(http2=True, verify=context, timeout=30) as client:
        statuses = [
            client.post(**signed_for_httpx(server, name, b"x")).status_code
            for name in (client_id, "nobody", "$bad", client_id)
        ]
    assert statuses == [200, 404, 400, 200]


def test_http2_without_tls_by_prior_knowledge_is_answered_or_closed(server):
    """A browser never does this; nothing may hang."""
    sock = open_socket(server, "http")
    sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
    sock.settimeout(20)
    try:
        sock.recv(65536)
    except (ConnectionError, socket.timeout) as error:
        assert not isinstance(error, socket.timeout)
    sock.close()
