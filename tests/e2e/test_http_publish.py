"""HTTP Publish: boto3, awscli and curl to devices (the contract's 2.4)."""

import asyncio
import base64

import httpx
import pytest

from harness import signing
from harness.answer import check_shape
from harness.commands import aws, curl
from harness.paho_device import PahoDevice
from harness.population import NARROW
from harness.senders import BotoSender, RawSender
from harness.wire_device import open_socket, tls_context

USER_PROPERTIES = [{"b": "1"}, {"a": "2"}, {"b": "3"}, {"ü": "€"}]


@pytest.fixture
def server(unlimited_server):
    """Publishes of these tests come faster than an account may send them."""
    return unlimited_server


@pytest.fixture
def topic(client_id):
    """A topic of its own for each test, which the fleet may use."""
    return f"e2e/{client_id}/state"


@pytest.fixture
def hearer(paho, topic):
    """An MQTT 5 device that hears the topic."""
    device = paho()
    assert device.subscribe(topic) == [1]
    return device


def published(answer, log, topic, **members):
    """The shape of a success, and its one log entry."""
    check_shape(answer, 200)
    entry = log.wait_for(eventType="Publish-In", traceId=answer.trace_id)
    assert (entry["protocol"], entry["status"], entry["topicName"]) == ("HTTP", "Success", topic)
    for name, value in members.items():
        assert entry.get(name) == value, (name, entry)


@pytest.mark.parametrize("qos", [None, 0, 1])
@pytest.mark.parametrize("version", [3, 5])
def test_a_device_hears_it(boto, paho, topic, log, qos, version):
    device = paho(version=version)
    device.subscribe(topic)
    parameters = {} if qos is None else {"qos": qos}
    published(boto.publish(topic, payload=b"\x00on\xff", **parameters), log, topic)
    message = device.message()
    assert (message.topic, message.payload, message.qos) == (topic, b"\x00on\xff", qos or 0)
    assert not message.retain


def test_every_parameter_reaches_the_device(boto, hearer, topic, log):
    answer = boto.publish(
        topic, qos=1, payload="grüß dich".encode(), contentType="text/plain; charset=utf-8",
        responseTopic="e2e/answers", messageExpiry=300, payloadFormatIndicator="UTF8_DATA",
        correlationData=base64.b64encode(b"\x00\xff7").decode(),
        userProperties=USER_PROPERTIES,
    )
    published(answer, log, topic)
    message = hearer.message()
    assert message.payload == "grüß dich".encode()
    received = message.properties
    assert received.ContentType == "text/plain; charset=utf-8"
    assert received.ResponseTopic == "e2e/answers"
    assert 290 <= received.MessageExpiryInterval <= 300
    assert received.PayloadFormatIndicator == 1
    assert received.CorrelationData == b"\x00\xff7"
    assert received.UserProperty == [("b", "1"), ("a", "2"), ("b", "3"), ("ü", "€")]


def test_what_is_not_given_is_not_there(boto, hearer, topic):
    boto.publish(topic, payload=b"x")
    received = hearer.message().properties
    for name in ("ContentType", "ResponseTopic", "MessageExpiryInterval", "CorrelationData",
                 "UserProperty"):
        assert not hasattr(received, name), name


@pytest.mark.parametrize("asked", ["UNSPECIFIED_BYTES", "UTF8_DATA"])
def test_the_payload_format_indicator(boto, hearer, topic, asked):
    boto.publish(topic, payload=b"x", payloadFormatIndicator=asked)
    received = getattr(hearer.message().properties, "PayloadFormatIndicator", 0)
    assert received == (asked == "UTF8_DATA")


@pytest.mark.parametrize(("asked", "least", "most"), [
    (0, 0, 1), (1, 0, 1), (604_800, 604_700, 604_800), (10_000_000, 604_700, 604_800)])
def test_the_expiry_is_brought_into_its_bounds(boto, hearer, topic, asked, least, most):
    boto.publish(topic, qos=1, payload=b"x", messageExpiry=asked)
    assert least <= hearer.message().properties.MessageExpiryInterval <= most


@pytest.mark.parametrize("size", [0, 1, 131_072])
def test_payloads_arrive_byte_for_byte(boto, hearer, topic, size):
    payload = (bytes(range(256)) * (size // 256 + 1))[:size]
    boto.publish(topic, qos=1, payload=payload)
    assert hearer.message().payload == payload


def test_an_answer_of_qos_1_means_that_it_is_queued(server, people, boto, topic, client_id):
    """A device that is away when the answer comes has the message when it is back."""
    options = {"clean": False, "session_expiry": 600}
    with PahoDevice(client_id, **options).connected(server, certificate=people.fleet) as device:
        device.subscribe(topic)
    check_shape(boto.publish(topic, qos=1, payload=b"queued", contentType="text/plain"), 200)
    with PahoDevice(client_id, **options).connected(server, certificate=people.fleet) as back:
        message = back.message()
        assert (message.payload, message.qos) == (b"queued", 1)
        assert message.properties.ContentType == "text/plain"


def test_nobody_has_to_listen(boto, topic, log):
    for qos in (0, 1):
        published(boto.publish(topic, qos=qos, payload=b"x"), log, topic)


def test_retained(boto, paho, client_id, topic, log):
    published(boto.publish(topic, qos=1, retain=True, payload=b"on", contentType="text/plain"),
              log, topic, retain="True")
    late = paho()
    late.subscribe(topic)
    message = late.message()
    assert (message.payload, message.retain) == (b"on", True)
    assert message.properties.ContentType == "text/plain"
    boto.publish(topic, retain=True)
    last = paho(f"{client_id}-last")
    last.subscribe(topic)
    boto.publish(topic, payload=b"nothing was kept")
    assert last.message().payload == b"nothing was kept"


BAD = {
    "a wildcard": {"topic": "e2e/+/x"},
    "a wildcard at the end": {"topic": "e2e/#"},
    "257 bytes": {"topic": "e2e/" + "x" * 253},
    "more than seven slashes": {"topic": "a/b/c/d/e/f/g/h/i"},
    "a reserved topic": {"topic": "$secret/x"},
    "retain on a reserved topic": {"topic": "$aws/rules/lamps/x", "retain": True},
    "QoS 2": {"qos": 2},
    "an expiry below zero": {"messageExpiry": -1},
    "a response topic with a wildcard": {"responseTopic": "e2e/+"},
    "a long content type": {"contentType": "x" * 257},
    "user properties that are no list": {"userProperties": {"a": "b"}},
    "a user property that is no text": {"userProperties": [{"a": 1}]},
    "two user properties in one": {"userProperties": [{"a": "1", "b": "2"}]},
    "user properties of more than 8 KB": {"userProperties": [{"a": "x" * 8200}]},
    "correlation data that is no base64": {"correlationData": "***"},
    "correlation data of more than 8 KB": {
        "correlationData": base64.b64encode(b"x" * 8193).decode()},
    "another payload format": {"payloadFormatIndicator": "TEXT"},
}


@pytest.mark.parametrize("case", BAD)
def test_bad_parameters(boto, topic, case):
    answer = boto.refused_call("InvalidRequestException", "publish",
                               **{"topic": topic, "payload": b"x", **BAD[case]})
    check_shape(answer, 400, answer.reason)
    assert answer.reason


def test_bad_queries_that_boto3_does_not_send(raw, topic):
    encoded = topic.replace("/", "%2F")
    for query in ("qos=one", "qos=", "retain=maybe", "messageExpiry=soon", "qos=0&qos=1"):
        answer = raw.request("POST", f"/topics/{encoded}?{query}", b"x")
        check_shape(answer, 400, answer.reason)


def test_a_payload_that_is_too_large(boto, topic):
    """Not modelled for Publish: boto3 raises its general error."""
    with pytest.raises(boto.client.exceptions.ClientError) as caught:
        boto.publish(topic, payload=bytes(131_073))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    check_shape(boto.answer, 413, boto.answer.reason)


def test_another_method(raw, topic):
    for method in ("GET", "PUT", "DELETE"):
        answer = raw.request(method, "/topics/" + topic.replace("/", "%2F"))
        check_shape(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == "POST"


def test_throttled(start):
    server = start("publish-throttled", settings="[quotas]\ninbound_publishes = 1\n")
    boto = BotoSender(server, server.admin)

    def refused():
        try:
            boto.publish("e2e/throttled", payload=b"x")
        except boto.client.exceptions.ThrottlingException:
            return True
        return False

    assert any(refused() for _ in range(50))
    check_shape(boto.answer, 429, boto.answer.reason)
    assert server.stop() == 0


def test_without_permission(server, topic, hearer):
    narrow = BotoSender(server, NARROW)
    answer = narrow.refused_call("ForbiddenException", "publish", topic=topic, payload=b"x")
    check_shape(answer, 403, answer.reason)
    BotoSender(server, server.admin).publish(topic, payload=b"the marker")
    assert hearer.message().payload == b"the marker"


def test_retain_takes_a_permission_of_its_own(server, people, topic):
    """The fleet may publish, and not retain."""
    url = server.url("https_x509", f"/topics/{topic}?qos=1")
    answer, _ = curl(server, *certificate(people.fleet), "--data", "x", url)
    check_shape(answer, 200)
    answer, _ = curl(server, *certificate(people.fleet), "--data", "x", f"{url}&retain=true")
    check_shape(answer, 403, answer.reason)


def test_without_credentials(server, topic):
    with RawSender(server) as nobody:
        answer = nobody.request("POST", "/topics/" + topic.replace("/", "%2F"), b"x")
    check_shape(answer, 403, "NOT_AUTHENTICATED")


def certificate(of):
    """Options of curl for a client certificate."""
    return ["--cert", of.cert, "--key", of.key, "--request", "POST"]


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_with_a_certificate(server, people, hearer, topic, version, encoded):
    path = topic.replace("/", "%2F") if encoded else topic
    answer, used = curl(server, version, *certificate(people.fleet), "--data", "on",
                        "--header", "x-amz-mqtt5-payload-format-indicator: UTF8_DATA",
                        server.url("https_x509", f"/topics/{path}?qos=1&contentType=text%2Fplain"))
    check_shape(answer, 200)
    assert used == ("2" if version == "--http2" else "1.1")
    message = hearer.message()
    assert (message.topic, message.payload, message.qos) == (topic, b"on", 1)
    assert message.properties.ContentType == "text/plain"
    assert message.properties.PayloadFormatIndicator == 1


@pytest.mark.parametrize("encoded", [False, True])
def test_signed_paths_with_slashes(raw, hearer, topic, encoded):
    path = topic.replace("/", "%2F") if encoded else topic
    answer = raw.request("POST", f"/topics/{path}?qos=1", b"on")
    check_shape(answer, 200)
    assert hearer.message().topic == topic


def test_pipelined_publishes_are_answered_in_order(server, hearer, topic):
    """Also where some wait for the disk and others are refused at once."""
    sock, url = open_socket(server, "http"), server.url("http")
    requests, expected = b"", []
    for n in range(40):
        query, status = [("qos=1&retain=true", 200), ("qos=2", 400), ("qos=1", 200)][n % 3]
        path, body = f"/topics/{topic}?{query}", b"%d" % n
        headers = signing.sign(server.admin, "POST", url + path, body)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        requests += head.encode() + body
        expected.append(status)
    sock.sendall(requests)
    received = b""
    while received.count(b'"traceId"') < len(expected):
        received += sock.recv(65536)
    sock.close()
    answers = received.split(b"HTTP/1.1 ")[1:]
    assert [int(answer[:3]) for answer in answers] == expected
    heard = [hearer.message().payload for n in range(40) if n % 3 != 1]
    assert heard == [b"%d" % n for n in range(40) if n % 3 != 1]


def test_publishes_side_by_side_on_one_http2_connection(server, boto, topic):
    """Each waits for the disk, and none for the others."""

    async def publish_all():
        context = tls_context(server.ca, alpn=["h2"])
        async with httpx.AsyncClient(http2=True, verify=context, timeout=30) as client:
            return await asyncio.gather(*[publish(client, n) for n in range(60)])

    def publish(client, n):
        body, url = b"%d" % n, server.url("https", f"/topics/{topic}/{n}?qos=1&retain=true")
        headers = signing.sign(server.admin, "POST", url, body)
        del headers["Host"]
        return client.post(url, content=body, headers=headers)

    for response in asyncio.run(publish_all()):
        assert response.http_version == "HTTP/2"
        assert response.status_code == 200, response.text
    for n in range(60):
        found = boto.call("get_retained_message", topic=f"{topic}/{n}")
        assert found["payload"] == b"%d" % n


def test_awscli(server, hearer, topic):
    done = aws(server, server.admin, "publish", "--topic", topic, "--qos", "1",
               "--payload", "on", "--content-type", "text/plain",
               "--user-properties", '[{"a": "b"}]')
    assert done.returncode == 0, done.stderr
    message = hearer.message()
    assert (message.payload, message.qos) == (b"on", 1)
    assert message.properties.ContentType == "text/plain"
    assert message.properties.UserProperty == [("a", "b")]


def test_basic_ingest_over_http(boto, hearer, topic):
    """The rules engine takes it; nobody hears it."""
    check_shape(boto.publish(f"$aws/rules/lamps/{topic}", qos=1, payload=b"x"), 200)
    boto.publish(topic, payload=b"the marker")
    assert hearer.message().payload == b"the marker"
