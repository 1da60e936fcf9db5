"""Reading the log: every refusal by its class, and the form of answers against the model."""

import concurrent.futures
import gzip
import http.client
import json
import pathlib

import botocore
import httpx
import pytest
from botocore.exceptions import ClientError

from harness import signing
from harness.kept_log import (
    ARN,
    GROUP,
    TARGET,
    TOPIC,
    about,
    code,
    everything,
    failed_sends,
    raw_call,
    shape,
    stream_of,
    wait_for,
)
from harness.patience import wait_until
from harness.senders import RawSender, boto3_client
from harness.signing import Credentials
from harness.wire_device import tls_context

READER = Credentials("AKIAE2ELOGSREADER000", "reader-secret-0000000000000000000000000")
STRANGER = Credentials("AKIAE2ELOGSSTRANGER0", "stranger-secret-000000000000000000000000")


def test_other_groups_and_streams_are_not_found(logs):
    missing = logs.exceptions.ResourceNotFoundException
    for call in (logs.describe_log_streams, logs.filter_log_events):
        for group in ({"logGroupName": "AWSIotLogs"}, {"logGroupIdentifier": "AWSIotLogs"},
                      {"logGroupIdentifier": ARN.replace("us-west-2", "eu-west-1")}):
            with pytest.raises(missing):
                call(**group)
    with pytest.raises(missing):
        logs.get_log_events(logGroupName=GROUP, logStreamName="1999-01-01_123456789012_0")
    with pytest.raises(missing):
        logs.filter_log_events(logGroupName=GROUP, logStreamNames=["nobody"])


@pytest.mark.parametrize("call, parameters, fragment", [
    ("describe_log_groups", {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"}, "both"),
    ("describe_log_groups", {"nextToken": "x"}, "nextToken"),
    ("describe_log_groups", {"limit": 51}, "limit"),
    ("describe_log_streams", {}, "logGroupName"),
    ("describe_log_streams", {"logGroupName": GROUP, "logGroupIdentifier": ARN}, "logGroupName"),
    ("describe_log_streams", {"logGroupName": GROUP, "orderBy": "Size"}, "orderBy"),
    ("describe_log_streams",
     {"logGroupName": GROUP, "orderBy": "LastEventTime", "logStreamNamePrefix": "a"}, "orderBy"),
    ("get_log_events", {"logGroupName": GROUP, "logStreamName": "a", "nextToken": "x"},
     "nextToken"),
    ("get_log_events", {"logGroupName": GROUP, "logStreamName": "a", "limit": 10_001}, "limit"),
    ("get_log_events",
     {"logGroupName": GROUP, "logStreamName": "a", "startTime": 2, "endTime": 1}, "startTime"),
    ("filter_log_events",
     {"logGroupName": GROUP, "logStreamNames": ["a"], "logStreamNamePrefix": "a"}, "both"),
    ("filter_log_events", {"logGroupName": GROUP, "filterPattern": "%x%"}, "regular expressions"),
    ("filter_log_events", {"logGroupName": GROUP, "filterPattern": "[a, b]"}, "character 1"),
    ("filter_log_events", {"logGroupName": GROUP, "nextToken": "x"}, "nextToken"),
])
def test_wrong_parameters_are_named(logs, call, parameters, fragment):
    name, message = code(getattr(logs, call), **parameters)
    assert name == "InvalidParameterException"
    assert fragment.lower() in message.lower() or fragment == "orderBy" and "order" in message


def test_operations_that_are_not_offered_say_so(logs):
    for call, parameters in [
        (logs.create_log_group, {"logGroupName": "x"}),
        (logs.delete_log_group, {"logGroupName": GROUP}),
        (logs.start_query, {"startTime": 0, "endTime": 1, "queryString": "x",
                            "logGroupName": GROUP}),
    ]:
        name, message = code(call, **parameters)
        assert name == "UnknownOperationException"
        assert "FilterLogEvents" in message


def test_live_tail_is_not_offered(server):
    """botocore would call another host for it."""
    message = shape(raw_call(server, server.admin, "StartLiveTail"), "UnknownOperationException")
    assert "StartLiveTail" in message and "FilterLogEvents" in message


def test_bodies_that_are_none_are_told(server):
    for body in (b"", b"[]", b"{", b'{"limit": "five"}', b'{"logGroupNamePrefix": 5}', b"\xff"):
        shape(raw_call(server, server.admin, "DescribeLogGroups", body), "SerializationException")


def test_a_large_body_is_refused(server):
    body = json.dumps({"logGroupNamePrefix": "x" * 1_000_000}).encode()
    answer = raw_call(server, server.admin, "DescribeLogGroups", body)
    assert answer.status in (400, 413), answer


def test_credentials_that_do_not_hold_are_told(server, log):
    mark = log.mark()
    wrong = Credentials(server.admin.access_key, "wrong" * 8)
    shape(raw_call(server, wrong, "DescribeLogGroups"), "InvalidSignatureException")
    unknown = Credentials("AKIAUNKNOWN000000000", "x" * 40)
    shape(raw_call(server, unknown, "DescribeLogGroups"), "UnrecognizedClientException")
    shape(raw_call(server, None, "DescribeLogGroups"), "MissingAuthenticationTokenException")
    log.wait_since(mark, eventType="Connection.AuthNError")


def test_a_signature_for_another_service_does_not_hold(server):
    answer = raw_call(server, server.admin, "DescribeLogGroups", service="iotdata")
    assert answer.status in (400, 403, 404), answer
    assert b"logGroups" not in answer.body


@pytest.fixture(scope="session")
def reader(main_server):
    """Registers a key that may read one group's events, and one that may do nothing."""
    def statement(actions, resources):
        return {"Effect": "Allow", "Action": actions, "Resource": resources}

    registry = main_server.registry
    registry.policy("log-reader", statement(["logs:FilterLogEvents", "logs:Describe*"],
                                            f"{ARN}:*"))
    registry.policy("no-logs", statement("iot:*", "*"))
    registry.sender("log-reader", READER, ["log-reader"])
    registry.sender("no-logs", STRANGER, ["no-logs"])
    yield READER
    for name in ("senders/log-reader.toml", "senders/no-logs.toml"):
        registry.remove(name)


def test_policies_decide_who_reads(server, reader):
    logs = boto3_client(server, reader, service="logs")

    def known():
        try:
            return logs.describe_log_groups()["logGroups"]
        except ClientError as error:
            assert error.response["Error"]["Code"] == "UnrecognizedClientException"
            return None

    wait_until(known, "the new key")
    assert logs.filter_log_events(logGroupName=GROUP, limit=1)["events"]
    name, message = code(logs.get_log_events, logGroupName=GROUP,
                         logStreamName=stream_of(logs))
    assert name == "AccessDeniedException" and "logs:GetLogEvents" in message
    with pytest.raises(logs.exceptions.AccessDeniedException):
        logs.filter_log_events(logGroupName="another")
    stranger = boto3_client(server, STRANGER, service="logs")
    for call, parameters in [
        (stranger.describe_log_groups, {}),
        (stranger.describe_log_streams, {"logGroupName": GROUP}),
        (stranger.filter_log_events, {"logGroupName": GROUP}),
        (stranger.get_log_events, {"logGroupName": GROUP, "logStreamName": "x"}),
    ]:
        assert code(call, **parameters)[0] == "AccessDeniedException"


def test_the_data_plane_is_as_it_was(server, logs):
    """A request without a target is one for the data plane."""
    with RawSender(server, server.admin) as sender:
        assert sender.request("POST", "/").status == 404
        assert sender.request("GET", "/").status == 404




def model():
    """botocore's model of the service."""
    data = pathlib.Path(botocore.__file__).parent / "data" / "logs" / "2014-03-28"
    packed = data / "service-2.json.gz"
    if packed.exists():
        return json.loads(gzip.decompress(packed.read_bytes()))
    return json.loads((data / "service-2.json").read_text())


def conforms(shapes, name, value, path):
    """Whether a value has the form that the model gives it."""
    shape_ = shapes[name]
    kind = shape_["type"]
    if kind == "structure":
        unknown = value.keys() - shape_["members"].keys()
        assert not unknown, f"{path}: {unknown}"
        assert set(shape_.get("required", [])) <= value.keys(), path
        for member, inner in value.items():
            conforms(shapes, shape_["members"][member]["shape"], inner, f"{path}.{member}")
    elif kind == "list":
        for number, inner in enumerate(value):
            conforms(shapes, shape_["member"]["shape"], inner, f"{path}[{number}]")
    elif kind in ("long", "integer"):
        assert type(value) is int, path
    elif kind == "boolean":
        assert type(value) is bool, path
    else:
        assert kind == "string" and isinstance(value, str), path
        if shape_.get("enum"):
            assert value in shape_["enum"], path
        assert len(value) >= shape_.get("min", 0), path


@pytest.mark.parametrize("operation, body", [
    ("DescribeLogGroups", {}),
    ("DescribeLogStreams", {"logGroupName": GROUP}),
    ("GetLogEvents", {"logGroupName": GROUP, "limit": 5}),
    ("FilterLogEvents", {"logGroupName": GROUP, "limit": 5}),
])
def test_answers_have_the_form_of_the_model(server, logs, boto, client_id, operation, body):
    failed_sends(boto, client_id, 6)
    wait_for(logs, client_id, 6)
    service = model()
    assert service["metadata"]["protocol"] == "json"
    assert service["metadata"]["jsonVersion"] == "1.1"
    assert service["metadata"]["targetPrefix"] + "." == TARGET
    if operation == "GetLogEvents":
        body = {**body, "logStreamName": stream_of(logs)}
    wanted = service["operations"][operation]
    required = service["shapes"][wanted["input"]["shape"]].get("required", [])
    answer = raw_call(server, server.admin, operation, json.dumps(body).encode())
    assert answer.status == 200, answer
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    conforms(service["shapes"], wanted["output"]["shape"], answer.json, operation)
    for member in required:
        short = {name: value for name, value in body.items() if name != member}
        message = shape(raw_call(server, server.admin, operation, json.dumps(short).encode()),
                        "InvalidParameterException")
        assert member in message


def test_http_2_reads_the_log_as_well(server, logs, boto, client_id):
    failed_sends(boto, client_id, 1)
    wait_for(logs, client_id, 1)
    headers = {"X-Amz-Target": TARGET + "FilterLogEvents",
               "Content-Type": "application/x-amz-json-1.1"}
    body = json.dumps({"logGroupName": GROUP, "filterPattern": f'"{client_id}"'}).encode()
    url = server.url("https", "/")
    signed = signing.sign(server.admin, "POST", url, body, headers, service="logs")
    context = tls_context(server.ca, alpn=("h2",))
    with httpx.Client(http2=True, verify=context, timeout=30) as client:
        answer = client.post(url, headers=signed, content=body)
        assert answer.http_version == "HTTP/2" and answer.status_code == 200, answer.text
        assert len(answer.json()["events"]) == 1
        signed = signing.sign(server.admin, "POST", url, b"{}", headers, service="logs")
        refused = client.post(url, headers=signed, content=b"{}")
        assert refused.status_code == 400
        assert refused.json()["__type"] == "InvalidParameterException"


def test_many_readers_leave_messages_alone(server, logs, boto, paho, client_id):
    """More calls at once than are read at once: each is answered, or told to come again."""
    device = paho()
    absent = f"{client_id}-absent"
    failed_sends(boto, absent, 5)
    wait_for(logs, absent, 5)

    def read(_):
        try:
            return len(everything(logs, **about(absent)))
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ThrottlingException"
            return 5

    with concurrent.futures.ThreadPoolExecutor(16) as readers:
        reads = readers.map(read, range(64))
        for number in range(50):
            boto.send(client_id, TOPIC, payload=bytes([number]), confirmation=True, timeout=15)
            assert device.message().payload == bytes([number])
        assert set(reads) == {5}


def test_every_listener_for_senders_has_it(server, boto, client_id):
    for listener in ("https", "http"):
        logs = boto3_client(server, server.admin, url=server.url(listener), service="logs")
        assert logs.describe_log_groups()["logGroups"]


def test_a_reader_that_goes_away_disturbs_nobody(server, logs, boto, client_id):
    host, port = server.address("http")
    headers = {"X-Amz-Target": TARGET + "FilterLogEvents",
               "Content-Type": "application/x-amz-json-1.1"}
    body = json.dumps({"logGroupName": GROUP}).encode()
    signed = signing.sign(server.admin, "POST", server.url("http", "/"), body, headers,
                          service="logs")
    for _ in range(20):
        connection = http.client.HTTPConnection(host, port, timeout=10)
        connection.request("POST", "/", body, signed)
        connection.close()
    failed_sends(boto, client_id, 1)
    wait_for(logs, client_id, 1)
