"""Reading the log back as people read AWS's: `logs` of boto3 and `aws logs`."""

import datetime
import json
import re
import time

import pytest

from harness.commands import aws
from harness.kept_log import (
    ARN,
    GROUP,
    TOPIC,
    about,
    code,
    everything,
    failed_sends,
    stream_of,
    today,
    trace_ids,
    wait_for,
)
from harness.patience import wait_until
from harness.senders import boto3_client
from harness.server import Server

NOT_FOUND = '{ $.reason = "TARGET_CLIENT_ID_NOT_FOUND" }'


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

    def found(**window):
        return trace_ids(everything(logs, **about(client_id, **window)))

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
