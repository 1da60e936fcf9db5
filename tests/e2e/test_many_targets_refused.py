"""Calls to many that are wrong, or too much: told before anything is sent, and nobody is kept out."""

import base64
import concurrent.futures
import contextlib
import http.client
import json
import select
import socket

import pytest

from harness import signing
from harness.answer import Answer, check_shape
from harness.senders import RawSender

PATH = "/direct-messages"


@pytest.mark.parametrize("body, status, reason, told", [
    (b"", 400, "INVALID_REQUEST", "it is empty"),
    (b"{", 400, "INVALID_REQUEST", "line 1 column 1"),
    (b"[]", 400, "INVALID_REQUEST", "begins with something else"),
    (b'{"clientIds":["a"],"topic":"t","qos":1}', 400, "INVALID_REQUEST", "unknown field `qos`"),
    (b'{"clientIds":["a"],"topic":"t","topic":"t"}', 400, "INVALID_REQUEST", "duplicate field"),
    (b'{"clientIds":[],"topic":"t"}', 400, "INVALID_REQUEST", "1 to 10000"),
    (b'{"clientIds":["a",7],"topic":"t"}', 400, "INVALID_REQUEST", "clientIds[1]"),
    (b'{"clientIds":["$a"],"topic":"t"}', 400, "MALFORMED_CLIENTID", "clientIds[0]"),
    (b'{"clientIds":["a","*********"],"topic":"t"}', 400, "MALFORMED_CLIENTID", "9 wildcards"),
    (b'{"clientIds":["a"]}', 400, "INVALID_TOPIC", "missing"),
    (b'{"clientIds":["a"],"topic":"a/#"}', 400, "INVALID_TOPIC", "wildcard"),
    (b'{"clientIds":["a"],"topic":"t","timeout":16}', 400, "INVALID_TIMEOUT_PARAMETER", "1 to 15"),
    (json.dumps({"clientIds": ["a"] * 10_001, "topic": "t"}).encode(), 400, "INVALID_REQUEST",
     "1 to 10000"),
    (json.dumps({"clientIds": ["a"], "topic": "t", "payload": "x" * 131_073}).encode(), 413,
     "PAYLOAD_TOO_LARGE", "131072"),
    (b" " * 5_000_000, 413, "PAYLOAD_TOO_LARGE", "10000 targets"),
])
def test_a_wrong_body_is_told_before_anything_is_sent(server, raw, log, body, status, reason, told):
    mark = log.mark()
    answer = raw.request("POST", PATH, body)
    check_shape(answer, status, reason)
    assert told in answer.json["message"]
    assert answer.headers["x-tenfour-delivery"] == answer.json["delivery"] == "refused"
    if len(body) < 2_000_000:
        entry = log.wait_since(mark, eventType="SendDirectMessages", traceId=answer.trace_id)
        assert (entry["reason"], entry["status"]) == (reason, "Failure")


# Without room of its own a body has twice the payload; a large one may have so much.
ORDINARY, LARGEST = 262_144, 2_927_680


def begin_body(server, length, come, credentials=None, source="127.0.0.1"):
    """A request of which so many bytes have come."""
    url = server.url("http") + PATH
    headers = signing.sign(credentials or server.admin, "POST", url)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"POST {PATH} HTTP/1.1", *lines, f"Content-Length: {length}", "", ""])
    sock = socket.create_connection(server.address("http"), 60, source_address=(source, 0))
    sock.sendall(head.encode() + b" " * come)
    return sock


def read_answer(sock):
    """What comes back, before the body is there."""
    response = http.client.HTTPResponse(sock, method="POST")
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def assert_answered(raw, client_id):
    """A large call of somebody else's has all its lines."""
    names = [f"{client_id}-{n}-" + "x" * 90 for n in range(10_000)]
    answer = raw.request("POST", PATH, json.dumps({"clientIds": names, "topic": "t"}).encode())
    assert (answer.status, len(answer.body.splitlines())) == (200, 10_001)


def test_large_bodies_that_trickle_keep_nobody_out(server, raw, client_id):
    with contextlib.ExitStack() as stack:
        trickling = [stack.enter_context(begin_body(server, LARGEST - 1, ORDINARY + 1000))
                     for _ in range(100)]
        assert_answered(raw, client_id)
        for sock in trickling:
            sock.sendall(b" ")


def test_an_address_that_fills_its_room_is_told_and_others_have_theirs(server, raw, client_id):
    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(17) as pool:
        def begin(_):
            return begin_body(server, LARGEST, LARGEST - 1, source="127.0.0.2")

        filling = [stack.enter_context(sock) for sock in pool.map(begin, range(17))]
        answered, _, _ = select.select(filling, [], [], 60)
        answer = read_answer(answered[0])
        check_shape(answer, 503, "LARGE_BODIES_EXCEEDED")
        assert (answer.headers["x-tenfour-delivery"], answer.headers["retry-after"]) == (
            "never-sent", "1")
        assert_answered(raw, client_id)


def test_whoever_names_no_access_key_gets_no_room_for_a_large_body(server, log):
    nobody = signing.Credentials("AKIANOBODY", "secret")
    mark = log.mark()
    with begin_body(server, LARGEST, ORDINARY + 1000, nobody) as sock:
        answer = read_answer(sock)
    assert answer.status == 403
    assert answer.headers["x-tenfour-delivery"] == "refused"
    entry = log.wait_since(mark, eventType="Connection.AuthNError", traceId=answer.trace_id)
    assert entry["reason"] == answer.reason


def test_a_query_parameter_for_one_message_is_told(raw):
    body = b'{"clientIds":["a"],"topic":"t"}'
    answer = raw.request("POST", PATH + "?confirmation=true", body)
    check_shape(answer, 400, "INVALID_REQUEST")
    assert "query parameter confirmation" in answer.json["message"]


def test_a_user_property_that_would_be_lost_is_told(raw):
    body = b'{"clientIds":["a"],"topic":"t","userProperties":[{"k":"1","k":"2"}]}'
    answer = raw.request("POST", PATH, body)
    check_shape(answer, 400, "INVALID_MQTT5_PROPERTY")
    assert 'userProperties[0] has the member "k" twice' in answer.json["message"]
    encoded = base64.b64encode(b'[{"k":"1","k":"2"}]').decode()
    answer = raw.send("a", "t", headers={"x-amz-mqtt5-user-properties": encoded})
    check_shape(answer, 400, "INVALID_MQTT5_PROPERTY")
    assert '"k" twice' in answer.json["message"]


def test_a_header_for_one_message_is_told(raw):
    body = b'{"clientIds":["a"],"topic":"t"}'
    answer = raw.request("POST", PATH, body, {"x-tenfour-deadline-ms": "5"})
    check_shape(answer, 400, "INVALID_REQUEST")
    assert "x-tenfour-deadline-ms" in answer.json["message"]


def test_a_caller_without_credentials_is_told_nothing(server):
    with RawSender(server) as stranger:
        answer = stranger.request("POST", PATH, b'{"clientIds":["*"],"topic":"t"}')
    assert (answer.status, answer.headers["x-tenfour-delivery"]) == (403, "refused")
