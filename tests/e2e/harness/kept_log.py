"""The log as it is read back: the log group, and what tests do with it."""

import datetime
import json

import pytest
from botocore.exceptions import ClientError

from harness.patience import wait_until
from harness.senders import RawSender

GROUP = "AWSIotLogsV2"
ARN = f"arn:aws:logs:us-west-2:123456789012:log-group:{GROUP}"
TARGET = "Logs_20140328."
TOPIC = "e2e/logs"


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

    def found():
        events = everything(logs, **about(client_id))
        return events if len(events) == count else None

    return wait_until(found, f"{count} events about {client_id}")


def code(call, **parameters):
    """The code and the message of the error that a call has to raise."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error["Message"]
    return error["Code"], error["Message"]


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
