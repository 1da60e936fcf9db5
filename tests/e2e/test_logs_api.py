"""Reading the log back as people read AWS's: `logs` of boto3 and `aws logs`."""

import datetime
import gzip
import http.client
import json
import pathlib
import re
import time

import botocore
import pytest
from botocore.exceptions import ClientError

from harness import signing
from harness.commands import aws
from harness.patience import wait_until
from harness.senders import BotoSender, RawSender, boto3_client
from harness.server import Server
from harness.signing import Credentials

GROUP = "AWSIotLogsV2"
ARN = f"arn:aws:logs:us-west-2:123456789012:log-group:{GROUP}"
TOPIC = "e2e/logs"
NOT_FOUND = '{ $.reason = "TARGET_CLIENT_ID_NOT_FOUND" }'
TARGET = "Logs_20140328."
READER = Credentials("AKIAE2ELOGSREADER000", "reader-secret-0000000000000000000000000")
STRANGER = Credentials("AKIAE2ELOGSSTRANGER0", "stranger-secret-000000000000000000000000")


@pytest.fixture
def logs(server):
    """boto3's client of the service, with the key that may do everything."""
    return boto3_client(server, server.admin, service="logs")


def today():
    """The day whose log stream is written now."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")


def stream_of(logs):
    """The newest log stream."""
    answer = logs.describe_log_streams(logGroupName=GROUP, descending=True, limit=1)
    return answer["logStreams"][0]["logStreamName"]


def everything(logs, **parameters):
    """All events that a filter finds, over all pages."""
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, **parameters)
    return [event for page in pages for event in page["events"]]


def about(client_id, **parameters):
    """Parameters of a filter for the entries about one client."""
    return {"filterPattern": f'{{ $.clientId = "{client_id}" }}', **parameters}


def failed_sends(boto, client_id, count):
    """Sends that find nobody; returns their trace IDs in order."""
    answers = [boto.refused("ResourceNotFoundException", client_id, TOPIC) for _ in range(count)]
    return [answer.trace_id for answer in answers]


def trace_ids(events):
    """The trace IDs of the entries of events."""
    return [json.loads(event["message"])["traceId"] for event in events]


def wait_for(logs, client_id, count):
    """The events about a client, once there are so many."""
    return wait_until(
        lambda: (lambda found: found if len(found) == count else None)(
            everything(logs, **about(client_id))), f"{count} events about {client_id}")


def code(call, **parameters):
    """The code and the message of the error that a call has to raise."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error["Message"]
    return error["Code"], error["Message"]


# --- What there is.


def test_the_log_group_is_described(logs):
    groups = logs.describe_log_groups()["logGroups"]
    assert [group["logGroupName"] for group in groups] == [GROUP]
    group = groups[0]
    assert group["arn"] == f"{ARN}:*" and group["logGroupArn"] == ARN
    assert group["retentionInDays"] == 7 and group["storedBytes"] > 0
    assert logs.describe_log_groups(logGroupNamePrefix="AWSIot")["logGroups"] == groups
    assert logs.describe_log_groups(logGroupNamePattern="Logs")["logGroups"] == groups
    assert logs.describe_log_groups(logGroupNamePrefix="/aws/lambda")["logGroups"] == []


def test_there_is_a_log_stream_for_each_day(logs):
    streams = logs.describe_log_streams(logGroupName=GROUP, orderBy="LastEventTime")["logStreams"]
    stream = streams[-1]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_123456789012_0", stream["logStreamName"])
    assert stream["arn"] == f"{ARN}:log-stream:{stream['logStreamName']}"
    assert stream["firstEventTimestamp"] <= stream["lastEventTimestamp"] <= time.time() * 1000
    for group in (ARN, f"{ARN}:*", GROUP):
        assert logs.describe_log_streams(logGroupIdentifier=group)["logStreams"]
    prefix = stream["logStreamName"][:4]
    assert logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=prefix)["logStreams"]
    none = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="1999")
    assert none["logStreams"] == []


def test_log_streams_come_in_pages(start):
    server = start("log-streams")
    assert server.stop() == 0
    folder = server.folder / "logs"
    line = next(folder.iterdir()).read_text().splitlines()[0]
    for number, day in enumerate(range(1, 8), start=1000):
        earlier = (datetime.date.fromisoformat(today()) - datetime.timedelta(days=day)).isoformat()
        # The numbers are in the order in which the files were begun: these were before.
        dated = line.replace(line[14:24], earlier)
        (folder / f"{2000 - number:08d}-{earlier}.jsonl").write_text(dated + "\n")
    for file in list(folder.iterdir()):
        if file.name.startswith("00000001-"):
            file.rename(folder / f"00009000-{file.name.split('-', 1)[1]}")
    server = Server(server.folder)
    try:
        logs = boto3_client(server, server.admin, service="logs")
        for descending in (False, True):
            names, token = [], {}
            while True:
                page = logs.describe_log_streams(logGroupName=GROUP, limit=2,
                                                 descending=descending, **token)
                names += [stream["logStreamName"] for stream in page["logStreams"]]
                if "nextToken" not in page:
                    break
                token = {"nextToken": page["nextToken"]}
            assert len(names) >= 7 and len(set(names)) == len(names)
            assert names == sorted(names, reverse=descending)
        name = names[-1]
        events = logs.get_log_events(logGroupName=GROUP, logStreamName=name)["events"]
        assert [json.loads(e["message"])["timestamp"][:10] for e in events] == [name[:10]]
    finally:
        assert server.stop() == 0


# --- Events.


def test_an_entry_is_read_back_as_the_log_has_it(logs, boto, log, client_id):
    [trace_id] = failed_sends(boto, client_id, 1)
    [event] = wait_for(logs, client_id, 1)
    entry = json.loads(event["message"])
    assert entry == log.the_send(trace_id)
    told = datetime.datetime.strptime(entry["timestamp"] + "+0000", "%Y-%m-%d %H:%M:%S.%f%z")
    assert event["timestamp"] == round(told.timestamp() * 1000)
    assert event["ingestionTime"] >= event["timestamp"]
    assert event["logStreamName"] == f"{entry['timestamp'][:10]}_123456789012_0"
    assert re.fullmatch(r"\d{56}", event["eventId"])
    assert everything(logs, **about(client_id)) == [event], "the same once more"


@pytest.mark.parametrize("pattern", [
    NOT_FOUND,
    "{ $.reason = TARGET_CLIENT_* && $.protocol = \"HTTP\" }",
    "{ ($.reason = \"X\") || ($.status = \"Failure\" && $.sourcePort > 0) }",
    "{ $.confirmation IS FALSE && $.timeout NOT EXISTS && $.status != Success }",
    "TARGET_CLIENT_ID_NOT_FOUND",
    "\"TARGET_CLIENT_ID_NOT_FOUND\" -Success",
    "?nobody ?TARGET_CLIENT_ID_NOT_FOUND",
])
def test_patterns_find_what_they_are_for(logs, boto, wire, client_id, pattern):
    device = wire()
    boto.send(client_id, TOPIC)
    device.message()
    absent = f"{client_id}-absent"
    start = int(time.time() * 1000) - 1
    [trace_id] = failed_sends(boto, absent, 1)
    wait_for(logs, absent, 1)
    found = everything(logs, filterPattern=pattern, startTime=start)
    mine = [e for e in found if json.loads(e["message"]).get("clientId", "").startswith(client_id)]
    assert trace_ids(mine) == [trace_id]


def test_pages_of_a_filter_follow_each_other_in_both_directions(logs, boto, client_id):
    sent = failed_sends(boto, client_id, 7)
    wait_for(logs, client_id, 7)
    for from_head in (True, False):
        found, token, pages = [], {}, 0
        while True:
            page = logs.filter_log_events(logGroupName=GROUP, limit=3, startFromHead=from_head,
                                          interleaved=True, **about(client_id), **token)
            assert len(page["events"]) <= 3 and page["searchedLogStreams"] == []
            found += trace_ids(page["events"])
            pages += 1
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
        assert pages >= 3
        assert found == (sent if from_head else sent[::-1])


def test_the_ends_of_a_stream_are_told_by_the_same_token(logs, boto, client_id):
    sent = failed_sends(boto, client_id, 5)
    wait_for(logs, client_id, 5)
    stream = {"logGroupName": GROUP, "logStreamName": stream_of(logs)}
    newest = logs.get_log_events(limit=5, **stream)
    assert len(newest["events"]) == 5
    assert set(trace_ids(newest["events"])) & set(sent), "the newest"
    times = [event["timestamp"] for event in newest["events"]]
    assert times == sorted(times), "oldest first"

    def walk(token_name, token, **more):
        found = []
        while True:
            page = logs.get_log_events(nextToken=token, **stream, **more)
            found.append(trace_ids(page["events"]))
            if page[token_name] == token:
                return found, token
            token = page[token_name]

    # To the end, where later entries follow.
    _, end = walk("nextForwardToken", newest["nextForwardToken"], startFromHead=True)
    more = failed_sends(boto, client_id, 2)
    wait_for(logs, client_id, 7)
    after, _ = walk("nextForwardToken", end, startFromHead=True)
    assert set(more) <= {trace_id for page in after for trace_id in page}
    # From the newest to the beginning is what it is from the beginning to the newest.
    window = {"endTime": newest["events"][-1]["timestamp"] + 1}
    backward, _ = walk("nextBackwardToken", newest["nextBackwardToken"], limit=50, **window)
    backward = [trace_id for page in reversed(backward) for trace_id in page]
    head = logs.get_log_events(startFromHead=True, limit=50, **stream, **window)
    forward, _ = walk("nextForwardToken", head["nextForwardToken"], limit=50, **window)
    forward = trace_ids(head["events"]) + [trace_id for page in forward for trace_id in page]
    assert forward[: len(backward)] == backward


def test_times_bound_what_is_found(logs, boto, client_id):
    [first] = failed_sends(boto, client_id, 1)
    [event] = wait_for(logs, client_id, 1)
    at = event["timestamp"]
    found = lambda **window: trace_ids(everything(logs, **about(client_id, **window)))  # noqa: E731
    assert found(startTime=at, endTime=at) == [first], "both are inclusive"
    assert found(startTime=at + 1) == [] and found(endTime=at - 1) == []
    stream = {"logGroupName": GROUP, "logStreamName": event["logStreamName"]}

    def got(**window):
        events = logs.get_log_events(startFromHead=True, **stream, **window)["events"]
        return first in trace_ids(events)

    assert got(startTime=at, endTime=at + 1)
    assert not got(startTime=at, endTime=at), "the end is exclusive"


def test_streams_can_be_named(logs, boto, client_id):
    failed_sends(boto, client_id, 1)
    [event] = wait_for(logs, client_id, 1)
    name = event["logStreamName"]
    assert everything(logs, **about(client_id, logStreamNames=[name])) == [event]
    assert everything(logs, **about(client_id, logStreamNamePrefix=name[:10])) == [event]
    assert everything(logs, **about(client_id, logStreamNamePrefix="1999")) == []


def test_reading_writes_no_entries(logs, boto, client_id, log):
    failed_sends(boto, client_id, 1)
    wait_for(logs, client_id, 1)
    mark = log.mark()
    everything(logs, **about(client_id))
    logs.describe_log_groups()
    code(logs.describe_log_streams, logGroupName="other")
    # The next entry is that of the next thing that happens.
    [trace_id] = failed_sends(boto, client_id, 1)
    log.wait_since(mark, traceId=trace_id)
    assert not [entry for entry in log.since(mark) if "og" in entry["eventType"]]


def test_following_finds_each_new_event_once(logs, boto, client_id):
    """What `aws logs tail --follow` of version 2 does: the same filter again and again, from the
    time of the newest event on, without the events it has seen."""
    start, seen, sent = int(time.time() * 1000), {}, []
    for _ in range(4):
        sent += failed_sends(boto, client_id, 2)

        def poll():
            newest = max([event["timestamp"] for event in seen.values()], default=start)
            for event in everything(logs, startTime=newest, interleaved=True,
                                    filterPattern=f'"{client_id}"'):
                seen[event["eventId"]] = event
            return len(seen) >= len(sent)

        wait_until(poll, "the new events")
    assert trace_ids(seen.values()) == sent


# --- The aws command.


def aws_logs(server, operation, *arguments):
    return aws(server, server.admin, operation, *arguments, service="logs")


def test_the_aws_command_filters_by_reason(server, logs, boto, client_id):
    [trace_id] = failed_sends(boto, client_id, 1)
    wait_for(logs, client_id, 1)
    done = aws_logs(server, "filter-log-events", "--log-group-name", GROUP,
                    "--filter-pattern", NOT_FOUND)
    assert done.returncode == 0, done.stderr
    assert trace_id in trace_ids(json.loads(done.stdout)["events"])


def test_the_aws_command_describes_and_gets(server, logs):
    done = aws_logs(server, "describe-log-groups", "--log-group-name-prefix", "AWSIot")
    assert json.loads(done.stdout)["logGroups"][0]["logGroupName"] == GROUP, done.stderr
    done = aws_logs(server, "describe-log-streams", "--log-group-name", GROUP)
    name = json.loads(done.stdout)["logStreams"][-1]["logStreamName"]
    done = aws_logs(server, "get-log-events", "--log-group-name", GROUP,
                    "--log-stream-name", name, "--limit", "3")
    answer = json.loads(done.stdout)
    assert answer["events"] and answer["nextForwardToken"].startswith("f/")


def test_the_aws_command_names_errors(server):
    done = aws_logs(server, "filter-log-events", "--log-group-name", GROUP,
                    "--filter-pattern", "{ $.reason }")
    assert done.returncode in (254, 255)
    assert "(InvalidParameterException)" in done.stderr and "character 12" in done.stderr


# --- Errors, each by its class.


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


def raw_call(server, credentials, operation, body=b"{}", service="logs", **headers):
    """A request as botocore would send it, but for what is different."""
    headers = {"X-Amz-Target": TARGET + operation, "Content-Type": "application/x-amz-json-1.1",
               **{name.replace("_", "-"): value for name, value in headers.items()}}
    with RawSender(server, credentials) as sender:
        return sender.request("POST", "/", body, headers, service=service)


def shape(answer, name):
    """An error in the form of the protocol."""
    assert answer.status == 400, answer
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.headers["x-amzn-errortype"].rstrip(":") == name
    assert answer.json["__type"] == name
    assert answer.json["message"]
    assert answer.headers["x-amzn-requestid"]
    return answer.json["message"]


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


# --- The ring.


def kept_files(server):
    return sorted((server.folder / "logs").glob("*.jsonl"))


def test_entries_outlive_the_process_and_a_torn_end(start, client_id):
    server = start("logs-restart")
    sent = failed_sends(BotoSender(server, server.admin), client_id, 3)
    logs = boto3_client(server, server.admin, service="logs")
    before = wait_for(logs, client_id, 3)
    assert server.stop() == 0
    with open(kept_files(server)[-1], "ab") as newest:
        newest.write(b'{"timestamp":"2026-11-26 00:00:00.000","clientId":"' + client_id.encode())
    server = Server(server.folder)
    try:
        logs = boto3_client(server, server.admin, service="logs")
        assert wait_for(logs, client_id, 3) == before, "with the same IDs"
        more = failed_sends(BotoSender(server, server.admin), client_id, 2)
        assert trace_ids(wait_for(logs, client_id, 5)) == sent + more
    finally:
        assert server.stop() == 0


def test_a_small_ring_keeps_the_newest(start, client_id):
    limit = 128 * 1024
    server = start("logs-small", "--unlimited",
                   settings=f'[log]\nfile = "log.jsonl"\nlevel = "INFO"\nkept_bytes = {limit}')
    try:
        boto = BotoSender(server, server.admin)
        logs = boto3_client(server, server.admin, service="logs")
        sent = []
        while len(kept_files(server)) < 2 or kept_files(server)[0].name.startswith("00000001-"):
            sent += failed_sends(boto, client_id, 50)
        wait_until(lambda: trace_ids(everything(logs, **about(client_id)))[-1:] == sent[-1:],
                   "the newest entry")
        kept = trace_ids(everything(logs, **about(client_id)))
        assert 50 < len(kept) < len(sent)
        assert kept == sent[-len(kept):]
        assert sum(file.stat().st_size for file in kept_files(server)) <= limit
        assert logs.describe_log_groups()["logGroups"][0]["storedBytes"] <= limit
    finally:
        assert server.stop() == 0


def test_without_a_store_entries_are_kept_in_memory(start, client_id):
    server = start("logs-memory", settings='[store]\ndurability = "memory"')
    try:
        sent = failed_sends(BotoSender(server, server.admin), client_id, 3)
        logs = boto3_client(server, server.admin, service="logs")
        assert trace_ids(wait_for(logs, client_id, 3)) == sent
        assert not (server.folder / "logs").exists()
    finally:
        assert server.stop() == 0


def test_a_ring_that_is_switched_off_has_no_group(start):
    server = start("logs-off",
                   settings='[log]\nfile = "log.jsonl"\nlevel = "INFO"\nkept_bytes = 0')
    try:
        logs = boto3_client(server, server.admin, service="logs")
        assert logs.describe_log_groups()["logGroups"] == []
        with pytest.raises(logs.exceptions.ResourceNotFoundException):
            logs.filter_log_events(logGroupName=GROUP)
        assert not (server.folder / "logs").exists()
    finally:
        assert server.stop() == 0


def test_a_ring_that_cannot_be_written_costs_entries_and_nothing_else(start, client_id):
    server = start("logs-broken")
    try:
        boto = BotoSender(server, server.admin)
        logs = boto3_client(server, server.admin, service="logs")
        failed_sends(boto, client_id, 1)
        wait_for(logs, client_id, 1)
        folder = server.folder / "logs"
        # No more segments can be begun, and the present one is soon full.
        moved = folder.rename(server.folder / "elsewhere")
        metric = "tenfour_log_entries_not_kept_total"
        assert server.metrics()[metric] == 0
        padding = "e2e/" + "x" * 120
        for _ in range(60):
            for _ in range(200):
                boto.refused("ResourceNotFoundException", "y" * 120, padding)
            if server.metrics()[metric] > 0:
                break
        else:
            pytest.skip("the segment was too large to fill in this time")
        moved.rename(folder)
        last = f"{client_id}-after"
        failed_sends(boto, last, 1)
        wait_for(logs, last, 1)
        assert server.printed().count("cannot keep log entries") == 1
    finally:
        assert server.stop() == 0


# --- The model.


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
