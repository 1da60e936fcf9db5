"""GetRetainedMessage and ListRetainedMessages (the contract's 2.5)."""

import base64
import json
import time

import pytest

from harness.answer import check_shape
from harness.commands import aws, curl
from harness.population import NARROW
from harness.senders import BotoSender, RawSender

USER_PROPERTIES = [{"b": "1"}, {"a": "2"}]


@pytest.fixture(scope="module")
def server(start):
    """A server of its own: what it keeps is what these tests left there."""
    server = start("retained", "--unlimited")
    yield server
    assert server.stop() == 0


@pytest.fixture
def topic(client_id):
    """A topic of its own for each test."""
    return f"e2e/{client_id}/state"


@pytest.fixture
def keep(boto):
    """Publishes retained messages, which are removed in the end."""
    kept = []

    def publish(topic, payload, qos=1, **parameters):
        boto.publish(topic, retain=True, qos=qos, payload=payload, **parameters)
        kept.append(topic)

    yield publish
    for topic in kept:
        boto.publish(topic, retain=True, qos=1)


def test_what_was_kept(boto, keep, topic, log):
    before = int(time.time() * 1000)
    payload = bytes(range(256))
    keep(topic, payload, userProperties=USER_PROPERTIES)
    found = boto.call("get_retained_message", topic=topic)
    assert (found["topic"], found["payload"], found["qos"]) == (topic, payload, 1)
    assert before - 1000 <= found["lastModifiedTime"] <= int(time.time() * 1000) + 1000
    assert json.loads(found["userProperties"]) == USER_PROPERTIES
    entry = log.wait_for(eventType="GetRetainedMessage", traceId=boto.answer.trace_id)
    assert (entry["protocol"], entry["status"]) == ("HTTP", "Success")
    assert (entry["topicName"], entry["qos"]) == (topic, "1")


def test_the_answer_on_the_wire(raw, keep, topic):
    keep(topic, b"\x00\xff", qos=0)
    answer = raw.request("GET", "/retainedMessage/" + topic.replace("/", "%2F"))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    body = answer.json
    assert body["topic"] == topic
    assert base64.b64decode(body["payload"], validate=True) == b"\x00\xff"
    assert body["qos"] == 0
    assert isinstance(body["lastModifiedTime"], int)
    assert body.get("userProperties") is None


def test_a_device_keeps_it_and_boto3_reads_it(server, boto, paho, people, topic):
    device = paho(certificate=people.anything)
    device.publish(topic, b"on", 1, True, UserProperty=[("b", "1"), ("a", "2")])
    found = boto.call("get_retained_message", topic=topic)
    assert (found["payload"], found["qos"]) == (b"on", 1)
    assert json.loads(found["userProperties"]) == USER_PROPERTIES
    device.publish(topic, b"", 1, True)
    boto.refused_call("ResourceNotFoundException", "get_retained_message", topic=topic)


def test_the_last_message_replaces_the_one_before(boto, keep, topic):
    keep(topic, b"on")
    first = boto.call("get_retained_message", topic=topic)["lastModifiedTime"]
    keep(topic, b"off", qos=0)
    boto.publish(topic, payload=b"not kept")
    found = boto.call("get_retained_message", topic=topic)
    assert (found["payload"], found["qos"]) == (b"off", 0)
    assert found["lastModifiedTime"] >= first


def test_nothing_kept(boto, topic):
    answer = boto.refused_call("ResourceNotFoundException", "get_retained_message", topic=topic)
    check_shape(answer, 404, answer.reason)


def test_an_empty_payload_removes_it(boto, keep, topic):
    keep(topic, b"on")
    assert boto.call("get_retained_message", topic=topic)["payload"] == b"on"
    boto.publish(topic, retain=True, qos=1, payload=b"")
    boto.refused_call("ResourceNotFoundException", "get_retained_message", topic=topic)
    listed = boto.call("list_retained_messages", maxResults=200)["retainedTopics"]
    assert topic not in {entry["topic"] for entry in listed}


def test_an_expired_message_is_gone(boto, keep, topic):
    keep(topic, b"short", messageExpiry=1)
    time.sleep(2.5)
    boto.refused_call("ResourceNotFoundException", "get_retained_message", topic=topic)


@pytest.mark.parametrize("encoded", [False, True])
def test_paths_with_slashes(raw, keep, topic, encoded):
    keep(topic, b"on")
    path = topic.replace("/", "%2F") if encoded else topic
    assert raw.request("GET", f"/retainedMessage/{path}").json["topic"] == topic


@pytest.mark.parametrize("name", ["ü €", "a b", "~._-", "a%2Fb", "?x=y&z", "a//b"])
def test_topics_of_odd_characters(boto, keep, topic, name):
    """A percent sign in a topic is a percent sign."""
    keep(f"{topic}/{name}", b"on")
    found = boto.call("get_retained_message", topic=f"{topic}/{name}")
    assert (found["topic"], found["payload"]) == (f"{topic}/{name}", b"on")


@pytest.fixture
def many(boto, keep, client_id):
    """More topics than one page can have."""
    topics = [f"e2e/{client_id}/{n}" for n in range(230)]
    for n, topic in enumerate(topics):
        keep(topic, b"x" * (n + 1), qos=n % 2)
    return topics


def test_all_pages(boto, many, log):
    paginator = boto.client.get_paginator("list_retained_messages")
    for size in (None, 7, 200):
        settings = {} if size is None else {"PageSize": size}
        pages = list(paginator.paginate(PaginationConfig=settings))
        assert len(pages) > 1
        assert all(page["retainedTopics"] for page in pages)
        if size:
            assert all(len(page["retainedTopics"]) <= size for page in pages)
        entries = [entry for page in pages for entry in page["retainedTopics"]]
        assert sorted(entry["topic"] for entry in entries) == sorted(many), "each topic once"
    sizes = {entry["topic"]: (entry["payloadSize"], entry["qos"]) for entry in entries}
    assert sizes == {topic: (n + 1, n % 2) for n, topic in enumerate(many)}
    assert all(isinstance(entry["lastModifiedTime"], int) for entry in entries)
    # The log's word for it has no s.
    log.wait_for(eventType="ListRetainedMessage", traceId=boto.answer.trace_id, status="Success")


def test_a_page_that_is_the_last_has_no_token(boto, keep, topic):
    keep(topic, b"on")
    assert boto.call("list_retained_messages").get("nextToken") is None


def test_pages_while_messages_come_and_go(boto, many, client_id):
    """What was there from the first page to the last is listed once."""
    page = boto.call("list_retained_messages", maxResults=50)
    found = [entry["topic"] for entry in page["retainedTopics"]]
    removed = set(many[::10])
    for topic in removed:
        boto.publish(topic, retain=True)
    while token := page.get("nextToken"):
        page = boto.call("list_retained_messages", maxResults=50, nextToken=token)
        found += [entry["topic"] for entry in page["retainedTopics"]]
    assert len(found) == len(set(found))
    assert set(many) - removed <= set(found)


@pytest.mark.parametrize("parameters", [{"maxResults": 201}, {"nextToken": "no token of ours"}])
def test_bad_parameters_of_a_list(boto, parameters):
    answer = boto.refused_call("InvalidRequestException", "list_retained_messages", **parameters)
    check_shape(answer, 400, answer.reason)


@pytest.mark.parametrize("query", ["maxResults=0", "maxResults=-1", "maxResults=many",
                                   "maxResults=1&maxResults=2"])
def test_bad_queries_that_boto3_does_not_send(raw, query):
    answer = raw.request("GET", f"/retainedMessage?{query}")
    check_shape(answer, 400, answer.reason)


@pytest.mark.parametrize("bad", ["e2e/+/x", "e2e/#", "e2e/" + "x" * 253, "a/b/c/d/e/f/g/h/i"])
def test_bad_topics(boto, bad):
    answer = boto.refused_call("InvalidRequestException", "get_retained_message", topic=bad)
    check_shape(answer, 400, answer.reason)


@pytest.mark.parametrize("path", ["/retainedMessage", "/retainedMessage/e2e%2Fa"])
def test_another_method(raw, path):
    for method in ("POST", "PUT", "DELETE"):
        answer = raw.request(method, path)
        check_shape(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(("operation", "parameters"), [
    ("get_retained_message", {"topic": "e2e/secret"}), ("list_retained_messages", {})])
def test_without_permission(server, keep, operation, parameters):
    """Whether there is a message or not is not told."""
    keep("e2e/secret", b"x")
    narrow = BotoSender(server, NARROW)
    answer = narrow.refused_call("ForbiddenException", operation, **parameters)
    check_shape(answer, 403, answer.reason)
    if parameters:
        absent = narrow.refused_call("ForbiddenException", operation, topic="e2e/absent")
        assert absent.json["message"] == answer.json["message"]


@pytest.mark.parametrize("path", ["/retainedMessage", "/retainedMessage/e2e%2Fa"])
def test_without_credentials(server, path):
    with RawSender(server) as nobody:
        check_shape(nobody.request("GET", path), 403, "NOT_AUTHENTICATED")


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_with_a_certificate(server, people, keep, topic, version):
    keep(topic, b"on")
    who = people.anything
    answer, _ = curl(server, version, "--cert", who.cert, "--key", who.key,
                     server.url("https_x509", f"/retainedMessage/{topic}"))
    assert (answer.status, answer.json["topic"]) == (200, topic)
    answer, _ = curl(server, version, "--cert", who.cert, "--key", who.key,
                     server.url("https_x509", "/retainedMessage?maxResults=200"))
    assert topic in {entry["topic"] for entry in answer.json["retainedTopics"]}
    who = people.fleet
    answer, _ = curl(server, version, "--cert", who.cert, "--key", who.key,
                     server.url("https_x509", f"/retainedMessage/{topic}"))
    check_shape(answer, 403, answer.reason)


def test_awscli(server, keep, topic):
    keep(topic, b"on")
    done = aws(server, server.admin, "get-retained-message", "--topic", topic)
    assert done.returncode == 0, done.stderr
    assert base64.b64decode(json.loads(done.stdout)["payload"]) == b"on"
    done = aws(server, server.admin, "list-retained-messages", "--page-size", "1")
    assert topic in {entry["topic"] for entry in json.loads(done.stdout)["retainedTopics"]}
    done = aws(server, server.admin, "get-retained-message", "--topic", "e2e/absent")
    assert "(ResourceNotFoundException)" in done.stderr
