"""AWS's getting-started flow, as a newcomer types it: the aws command, boto3 and the device SDK."""

import dataclasses
import json

import pytest
from awsiot import iotshadow, mqtt_connection_builder
from awscrt import mqtt

from harness.commands import aws
from harness.patience import wait_until
from harness.registry import ARN
from harness.senders import boto3_client

TOPIC = "e2e/lamp"


@dataclasses.dataclass
class Heard:
    """What the device hears."""

    messages: list = dataclasses.field(default_factory=list)
    interrupted: list = dataclasses.field(default_factory=list)


@pytest.fixture
def iot(server):
    """Runs `aws iot`; returns what it printed."""

    def run(operation, *arguments):
        done = aws(server, server.admin, operation, *arguments, service="iot")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


def connect(server, iot, folder, client_id, heard):
    """Connects a device of the SDK with what the aws command made."""
    files = [str(folder / name) for name in ("device.pem.crt", "public.key", "private.key")]
    made = iot("create-keys-and-certificate", "--set-as-active",
               "--certificate-pem-outfile", files[0], "--public-key-outfile", files[1],
               "--private-key-outfile", files[2])
    endpoint = iot("describe-endpoint", "--endpoint-type", "iot:Data-ATS")["endpointAddress"]
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{ARN}client/{client_id}"},
        {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": f"{ARN}topic/*"},
        {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": f"{ARN}topicfilter/*"}]}
    iot("create-policy", "--policy-name", client_id, "--policy-document", json.dumps(policy))
    iot("attach-policy", "--policy-name", client_id, "--target", made["certificateArn"])
    iot("create-thing", "--thing-name", client_id)
    iot("attach-thing-principal", "--thing-name", client_id,
        "--principal", made["certificateArn"])
    connection = mqtt_connection_builder.mtls_from_path(
        endpoint=endpoint, port=server.port("mqtts"), ca_filepath=server.ca,
        cert_filepath=files[0], pri_key_filepath=files[2], client_id=client_id,
        on_connection_interrupted=lambda connection, error, **_: heard.interrupted.append(error))
    connection.on_message(lambda topic, payload, **_: heard.messages.append((topic, payload)))
    connection.connect().result(30)
    return connection, made


def shadow_round_trip(connection, thing):
    """Reports a state through the SDK's shadow client; returns the version."""
    shadows = iotshadow.IotShadowClient(connection)
    accepted = []
    request = iotshadow.UpdateShadowSubscriptionRequest(thing_name=thing)
    subscribed, _ = shadows.subscribe_to_update_shadow_accepted(
        request, mqtt.QoS.AT_LEAST_ONCE, accepted.append)
    subscribed.result(30)
    state = iotshadow.ShadowState(reported={"on": True})
    shadows.publish_update_shadow(
        iotshadow.UpdateShadowRequest(thing_name=thing, state=state),
        mqtt.QoS.AT_LEAST_ONCE).result(30)
    wait_until(lambda: accepted, "the answer of the shadow", seconds=30)
    return accepted[0].version


def test_from_nothing_to_a_device_and_back(server, iot, client_id, tmp_path):
    heard = Heard()
    connection, made = connect(server, iot, tmp_path, client_id, heard)
    assert shadow_round_trip(connection, client_id) == 1
    data = boto3_client(server, server.admin)
    shadow = json.loads(data.get_thing_shadow(thingName=client_id)["payload"].read())
    assert shadow["state"] == {"reported": {"on": True}}

    sent = data.send_direct_message(clientId=client_id, topic=TOPIC, confirmation=True,
                                    payload=b"hello")
    wait_until(lambda: (TOPIC, b"hello") in heard.messages, "the direct message", seconds=30)

    def logged():
        done = aws(server, server.admin, "filter-log-events", "--log-group-name", "AWSIotLogsV2",
                   "--filter-pattern", '{ $.traceId = "%s" }' % sent["traceId"], service="logs")
        assert done.returncode == 0, done.stderr
        return [json.loads(event["message"]) for event in json.loads(done.stdout)["events"]]

    entries = wait_until(logged, "the log entry", seconds=30)
    assert [(entry["eventType"], entry["status"], entry["clientId"]) for entry in entries] == [
        ("SendDirectMessage", "Success", client_id)]

    iot("update-certificate", "--certificate-id", made["certificateId"], "--new-status", "REVOKED")
    wait_until(lambda: heard.interrupted, "the end of the connection", seconds=30)
    with pytest.raises(data.exceptions.ResourceNotFoundException):
        data.send_direct_message(clientId=client_id, topic=TOPIC, confirmation=True)
    connection.disconnect()
