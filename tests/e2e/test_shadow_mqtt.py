"""Device Shadows over MQTT (the contract's 10): the AWS IoT Device SDK's shadow clients and paho-mqtt."""

import contextlib
import json
import queue
import signal
import time

import awsiot
import pytest
from awscrt import mqtt, mqtt_request_response
from awsiot import iotshadow, mqtt5_client_builder, mqtt_connection_builder
from botocore.exceptions import ClientError

from harness.control import Control
from harness.paho_device import PahoDevice
from harness.patience import wait_until
from harness.registry import ARN, allow
from harness.sdk_device import Sdk3, Sdk5
from harness.senders import boto3_client
from harness.server import Server

VERSIONS = {
    3: (Sdk3, mqtt_connection_builder.mtls_from_path, "connection"),
    5: (Sdk5, mqtt5_client_builder.mtls_from_path, "client"),
}
QOS = mqtt.QoS.AT_LEAST_ONCE


@pytest.fixture(scope="module")
def server(unlimited_server):
    """The server of these tests, which has to survive each of them."""
    return unlimited_server


@pytest.fixture
def thing(client_id):
    """A thing of its own for each test."""
    return f"thing-{client_id}"


@pytest.fixture(params=[3, 5], ids=["v3.1.1", "v5"])
def sdk(server, people, client_id, request):
    """A connected device of the SDK, and what its shadow clients take of it."""
    device_class, build, inner = VERSIONS[request.param]
    device = device_class(
        build, client_id=client_id, endpoint="localhost", port=server.port("mqtts"),
        ca_filepath=server.ca, cert_filepath=str(people.anything.cert),
        pri_key_filepath=str(people.anything.key),
    )
    with device:
        yield getattr(device, inner)


class Watcher:
    """A paho-mqtt device that hears the answers of one thing."""

    def __init__(self, server, certificate, client_id, thing, version=5, listener="mqtts", **wishes):
        self.prefix = f"$aws/things/{thing}/shadow"
        self.device = PahoDevice(client_id, version, **wishes)
        self.device.connected(server, listener=listener, certificate=certificate)
        if not self.device.session_present:
            for filter in ("get/+", "update/+", "delete/+", "name/+/+/+"):
                assert self.device.subscribe(f"{self.prefix}/{filter}") == [1]

    def ask(self, what, document=None, qos=1):
        """Publishes a request; a document of None is an empty payload."""
        payload = document if isinstance(document, bytes) else json.dumps(document).encode()
        payload = b"" if document is None else payload
        self.device.client.publish(f"{self.prefix}/{what}", payload, qos)

    def told(self):
        """The next answer: what follows the prefix in its topic, and the document."""
        message = self.device.message(30)
        assert message.topic.startswith(self.prefix + "/") and not message.retain
        return message.topic[len(self.prefix) + 1:], json.loads(message.payload)

    def expect(self, *topics):
        """The documents of the next answers, which have to be on these topics, in this order."""
        told = [self.told() for _ in topics]
        assert [topic for topic, _ in told] == list(topics), told
        return [document for _, document in told]


@pytest.fixture
def watch(server, people, client_id, thing):
    """Connects watchers."""
    with contextlib.ExitStack() as stack:

        def connect(role="", server=server, **options):
            watcher = Watcher(server, people.anything, f"{client_id}{role}", thing, **options)
            stack.callback(watcher.device.close)
            return watcher

        yield connect


def test_the_request_response_client_of_the_sdk(sdk, thing):
    options = mqtt_request_response.ClientOptions(
        max_request_response_subscriptions=4, max_streaming_subscriptions=4,
        operation_timeout_in_seconds=30,
    )
    client = iotshadow.IotShadowClientV2(sdk, options)
    deltas, documents, active = queue.Queue(), queue.Queue(), queue.Queue()

    def stream(create, request, events):
        made = create(request, awsiot.ServiceStreamOptions(
            incoming_event_listener=events.put,
            subscription_status_listener=lambda event: active.put(event.type),
        ))
        made.open()
        kinds = mqtt_request_response.SubscriptionStatusEventType
        assert active.get(timeout=30) == kinds.SUBSCRIPTION_ESTABLISHED
        return made

    streams = [
        stream(client.create_shadow_delta_updated_stream,
               iotshadow.ShadowDeltaUpdatedSubscriptionRequest(thing_name=thing), deltas),
        stream(client.create_shadow_updated_stream,
               iotshadow.ShadowUpdatedSubscriptionRequest(thing_name=thing), documents),
    ]
    with pytest.raises(awsiot.V2ServiceException) as caught:
        client.get_shadow(iotshadow.GetShadowRequest(thing_name=thing)).result(60)
    error = caught.value.modeled_error
    assert (error.code, error.message) == (404, f"No shadow exists with name: '{thing}'")
    assert error.timestamp is not None
    state = iotshadow.ShadowState(desired={"color": "red"}, reported={"color": "blue"})
    request = iotshadow.UpdateShadowRequest(thing_name=thing, state=state)
    updated = client.update_shadow(request).result(60)
    assert (updated.version, updated.state.desired) == (1, {"color": "red"})
    delta = deltas.get(timeout=30)
    assert (delta.version, delta.state) == (1, {"color": "red"})
    told = documents.get(timeout=30)
    assert (told.previous.version, told.current.version) == (0, 1)
    assert told.current.state.reported == {"color": "blue"}
    got = client.get_shadow(iotshadow.GetShadowRequest(thing_name=thing)).result(60)
    assert got.state.delta == {"color": "red"}
    stale = iotshadow.UpdateShadowRequest(
        thing_name=thing, state=iotshadow.ShadowState(reported={"color": "red"}), version=7)
    with pytest.raises(awsiot.V2ServiceException) as caught:
        client.update_shadow(stale).result(60)
    assert caught.value.modeled_error.code == 409
    deleted = client.delete_shadow(iotshadow.DeleteShadowRequest(thing_name=thing)).result(60)
    assert deleted.version == 1
    named = {"thing_name": thing, "shadow_name": "config"}
    updated = client.update_named_shadow(iotshadow.UpdateNamedShadowRequest(
        **named, state=iotshadow.ShadowState(desired={"a": [1, 2]}))).result(60)
    assert updated.version == 1
    got = client.get_named_shadow(iotshadow.GetNamedShadowRequest(**named)).result(60)
    assert got.state.desired == {"a": [1, 2]}
    client.delete_named_shadow(iotshadow.DeleteNamedShadowRequest(**named)).result(60)
    del streams


def test_the_first_client_of_the_sdk(sdk, thing):
    if not isinstance(sdk, mqtt.Connection):
        # Of an MQTT 5 client it takes the adapter that the SDK has for that.
        sdk = sdk.new_connection()
    client, told = iotshadow.IotShadowClient(sdk), queue.Queue()
    named = {"thing_name": thing, "shadow_name": "config"}

    def hear(subscribe, request):
        subscribed, _ = subscribe(request, QOS, told.put)
        subscribed.result(30)

    hear(client.subscribe_to_update_named_shadow_accepted,
         iotshadow.UpdateNamedShadowSubscriptionRequest(**named))
    hear(client.subscribe_to_update_named_shadow_rejected,
         iotshadow.UpdateNamedShadowSubscriptionRequest(**named))
    hear(client.subscribe_to_named_shadow_delta_updated_events,
         iotshadow.NamedShadowDeltaUpdatedSubscriptionRequest(**named))
    hear(client.subscribe_to_named_shadow_updated_events,
         iotshadow.NamedShadowUpdatedSubscriptionRequest(**named))
    hear(client.subscribe_to_get_named_shadow_accepted,
         iotshadow.GetNamedShadowSubscriptionRequest(**named))
    hear(client.subscribe_to_delete_named_shadow_accepted,
         iotshadow.DeleteNamedShadowSubscriptionRequest(**named))

    def update(version, **sections):
        state = iotshadow.ShadowState(**sections)
        client.publish_update_named_shadow(iotshadow.UpdateNamedShadowRequest(
            **named, state=state, version=version, client_token="t"), QOS).result(30)

    update(None, desired={"on": True})
    accepted, delta, updated = (told.get(timeout=30) for _ in range(3))
    assert (accepted.version, accepted.client_token) == (1, "t")
    assert accepted.metadata.desired["on"].keys() == {"timestamp"}
    assert (delta.state, delta.client_token) == ({"on": True}, "t")
    assert updated.current.state.desired == {"on": True}
    update(5, reported={"on": True})
    refused = told.get(timeout=30)
    assert (refused.code, refused.message) == (409, "Version conflict")
    assert refused.client_token == "t"
    client.publish_get_named_shadow(iotshadow.GetNamedShadowRequest(**named), QOS).result(30)
    assert told.get(timeout=30).state.delta == {"on": True}
    client.publish_delete_named_shadow(iotshadow.DeleteNamedShadowRequest(**named), QOS).result(30)
    assert told.get(timeout=30).version == 1


@pytest.mark.parametrize("version", [3, 5], ids=["v3.1.1", "v5"])
@pytest.mark.parametrize("qos", [0, 1])
def test_every_answer_has_its_members(watch, version, qos):
    watcher = watch(version=version)
    watcher.ask("update", {"state": {"desired": {"a": {"b": 1}}, "reported": None},
                           "clientToken": "t"}, qos)
    accepted, delta, documents = watcher.expect("update/accepted", "update/delta",
                                                "update/documents")
    stamp = accepted["timestamp"]
    leaf = {"timestamp": stamp}
    assert abs(stamp - time.time()) < 60
    assert accepted == {
        "state": {"desired": {"a": {"b": 1}}, "reported": None},
        "metadata": {"desired": {"a": {"b": leaf}}},
        "version": 1, "timestamp": stamp, "clientToken": "t",
    }
    assert delta == {
        "version": 1, "timestamp": stamp, "state": {"a": {"b": 1}},
        "metadata": {"a": {"b": leaf}}, "clientToken": "t",
    }
    assert documents == {
        "previous": {"state": {}, "metadata": {}, "version": 0},
        "current": {"state": {"desired": {"a": {"b": 1}}},
                    "metadata": {"desired": {"a": {"b": leaf}}}, "version": 1},
        "timestamp": stamp, "clientToken": "t",
    }
    watcher.ask("get", None, qos)
    (got,) = watcher.expect("get/accepted")
    assert got.keys() == {"state", "metadata", "version", "timestamp"}
    assert got["state"] == {"desired": {"a": {"b": 1}}, "delta": {"a": {"b": 1}}}
    assert got["metadata"] == {"desired": {"a": {"b": leaf}}, "delta": {"a": {"b": leaf}}}
    watcher.ask("update", {"state": {"reported": {"a": {"b": 1.0, "c": 2}}}}, qos)
    accepted, documents = watcher.expect("update/accepted", "update/documents")
    assert (accepted["version"], documents["previous"]["version"]) == (2, 1)
    assert "clientToken" not in accepted
    watcher.ask("delete", b"not even JSON", qos)
    (deleted,) = watcher.expect("delete/accepted")
    assert deleted.keys() == {"version", "timestamp"} and deleted["version"] == 2
    watcher.ask("get", {"clientToken": "u"}, qos)
    (refused,) = watcher.expect("get/rejected")
    assert (refused["code"], refused["clientToken"]) == (404, "u")
    assert refused["message"].startswith("No shadow exists with name: 'thing-")


@pytest.mark.parametrize(("payload", "code", "message"), [
    (b"", 400, "Invalid JSON"),
    (b'{"state":[]}', 400, "State node must be an object"),
    (b'{"state":{"desired":1},"clientToken":"t"}', 400, "Desired node must be an object"),
    (b'{"state":{},"version":"x","clientToken":"t"}', 400, "Invalid version"),
    (b'{"state":{"reported":{"a":"%s"}},"clientToken":"t"}' % (b"x" * 8200), 413,
     "The payload exceeds the maximum size allowed"),
    (b'{"state":{"reported":{"a":"\xff"}}}', 415,
     "Unsupported documented encoding; supported encoding is UTF-8"),
    (b" " * 100_000, 413, "The payload exceeds the maximum size allowed"),
])
def test_what_is_wrong_is_rejected_and_the_connection_goes_on(watch, payload, code, message):
    watcher = watch()
    watcher.ask("name/config/update", payload)
    (refused,) = watcher.expect("name/config/update/rejected")
    assert (refused["code"], refused["message"]) == (code, message)
    assert refused.get("clientToken") == ("t" if b'"t"' in payload else None)
    watcher.ask("name/config/get")
    (refused,) = watcher.expect("name/config/get/rejected")
    assert refused["code"] == 404


def test_requests_over_http_are_told_to_subscribers(watch, server, thing):
    watcher = watch()
    client = boto3_client(server, server.admin)
    payload = json.dumps({"state": {"desired": {"on": True}}, "clientToken": "h"})
    client.update_thing_shadow(thingName=thing, payload=payload)
    accepted, delta, _ = watcher.expect("update/accepted", "update/delta", "update/documents")
    assert (accepted["clientToken"], delta["state"]) == ("h", {"on": True})
    client.get_thing_shadow(thingName=thing)
    with pytest.raises(client.exceptions.ConflictException):
        client.update_thing_shadow(thingName=thing, payload=b'{"state":{},"version":9}')
    client.delete_thing_shadow(thingName=thing)
    # Neither of the read nor of what was refused anybody was told.
    watcher.expect("delete/accepted")
    # A publish over HTTP on the topic of a request is one.
    topic = f"{watcher.prefix}/name/config/update"
    client.publish(topic=topic, qos=1, payload=b'{"state":{"reported":{"a":1}}}')
    watcher.expect("name/config/update/accepted", "name/config/update/documents")
    found = client.get_thing_shadow(thingName=thing, shadowName="config")
    assert json.loads(found["payload"].read())["state"] == {"reported": {"a": 1}}
    entry = server.log.wait_for(eventType="UpdateThingShadow", topicName=topic)
    assert (entry["protocol"], entry["status"]) == ("HTTP", "Success")


def test_the_log_of_a_device(watch, server, client_id, thing):
    watcher = watch()
    watcher.ask("get")
    watcher.expect("get/rejected")
    topic = f"{watcher.prefix}/get"
    entry = server.log.wait_for(eventType="GetThingShadow", topicName=topic)
    assert (entry["protocol"], entry["clientId"], entry["deviceShadowName"]) == \
        ("MQTT", client_id, thing)
    assert (entry["status"], entry["reason"]) == ("Failure", "SHADOW_NOT_FOUND")
    # The request is a publish as well.
    entry = server.log.wait_for(eventType="Publish-In", topicName=topic)
    assert entry["status"] == "Success"


def test_policies_of_topics_decide(server, people, client_id, thing):
    """Publish on the request, Subscribe and Receive of the answers; no action of shadows."""
    topic = f"topic/$aws/things/{thing}/shadow"
    server.registry.policy(
        f"shadow-{client_id}",
        allow("iot:Connect", "client/*"),
        allow("iot:Publish", [f"{topic}/get", f"{topic}/update"]),
        allow("iot:Receive", f"{topic}/update/accepted"),
        allow("iot:Subscribe", f"topicfilter/$aws/things/{thing}/shadow/*"),
    )
    server.registry.certificate("stranger", people.stranger, [f"shadow-{client_id}"])
    control = Control(server)

    def policies():
        with contextlib.suppress(ClientError):
            arn = f"{ARN}cert/{people.stranger.certificate_id}"
            return control("list_attached_policies", target=arn)["policies"]
        return []

    wait_until(policies, "the certificate", seconds=30)
    with PahoDevice(client_id) as device:
        device.connected(server, certificate=people.stranger)
        prefix = f"$aws/things/{thing}/shadow"
        assert device.subscribe(f"{prefix}/#") == [1]
        assert device.subscribe("$aws/things/other/shadow/#") == [0x87]
        device.publish(f"{prefix}/update", b'{"state":{"desired":{"a":1}}}')
        # Of the answers only this one may be received.
        assert device.message().topic == f"{prefix}/update/accepted"
        device.publish(f"{prefix}/get", b"")
        device.publish(f"{prefix}/update", b'{"state":{"reported":{"a":1}}}')
        assert json.loads(device.message().payload)["version"] == 2
        device.client.publish(f"{prefix}/delete", b"", 1)
        assert device.disconnects.get(timeout=15).value == 0x87
    client = boto3_client(server, server.admin)
    got = client.get_thing_shadow(thingName=thing)["payload"].read()
    assert json.loads(got)["version"] == 2


@pytest.mark.parametrize("topic", ["shadow/update/accepted", "shadow/put", "jobs/get"])
def test_other_reserved_topics_are_refused(server, people, client_id, thing, topic):
    with PahoDevice(client_id) as device:
        device.connected(server, certificate=people.anything)
        device.client.publish(f"$aws/things/{thing}/{topic}", b"{}", 1)
        assert device.disconnects.get(timeout=15).value == 0x90


def test_a_device_that_was_away_gets_its_answers(watch, server, thing):
    watcher = watch(clean=False, session_expiry=600)
    watcher.device.close()
    client = boto3_client(server, server.admin)
    client.update_thing_shadow(thingName=thing, payload=b'{"state":{"desired":{"on":true}}}')
    watcher = watch(clean=False, session_expiry=600)
    told = dict(watcher.told() for _ in range(3))
    assert told.keys() == {"update/accepted", "update/delta", "update/documents"}


@pytest.mark.parametrize("qos", [1, 2])
def test_the_profile_standard_has_shadows(open_server, watch, qos):
    watcher = watch(server=open_server, listener="mqtt")
    watcher.ask("update", {"state": {"reported": {"a": 1}}}, qos)
    watcher.expect("update/accepted", "update/documents")
    watcher.ask("get", None, qos)
    (got,) = watcher.expect("get/accepted")
    assert (got["version"], got["state"]) == (1, {"reported": {"a": 1}})


@pytest.mark.parametrize("durability", ["always", "batched"])
def test_what_was_accepted_survives_kill_9(start, client_id, durability):
    """Versions included, also that of a shadow that was deleted."""
    flags = ("--open", "--unlimited")
    settings = f'[store]\nfolder = "store"\ndurability = "{durability}"'
    server = start(f"shadow-{durability}-{client_id}", *flags, settings=settings)
    things = [f"t{n}" for n in range(20)]
    with PahoDevice(client_id) as device:
        device.connected(server, listener="mqtt")
        device.subscribe("$aws/things/+/shadow/update/accepted")
        device.subscribe("$aws/things/+/shadow/name/old/delete/accepted")
        for round in range(5):
            for thing in things:
                payload = json.dumps({"state": {"reported": {"round": round, f"r{round}": thing}}})
                device.client.publish(f"$aws/things/{thing}/shadow/update", payload, 1)
        device.client.publish("$aws/things/t0/shadow/name/old/update", b'{"state":{}}', 1)
        device.client.publish("$aws/things/t0/shadow/name/old/delete", b"", 1)
        versions = {}
        for _ in range(len(things) * 5 + 1):
            message = device.message(60)
            versions[message.topic] = json.loads(message.payload)["version"]
        assert set(versions.values()) == {1, 5}
        # Killed while more is under way.
        for thing in things:
            device.client.publish(f"$aws/things/{thing}/shadow/update",
                                  b'{"state":{"desired":{"late":1}}}', 1)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(30)
    server = Server(server.folder, *flags)
    client = boto3_client(server, server.admin)
    for thing in things:
        got = json.loads(client.get_thing_shadow(thingName=thing)["payload"].read())
        assert got["version"] in (5, 6)
        expected = {"round": 4, **{f"r{round}": thing for round in range(5)}}
        assert got["state"]["reported"] == expected
        assert ("desired" in got["state"]) == (got["version"] == 6)
        assert got["metadata"]["reported"].keys() == expected.keys()
    again = client.update_thing_shadow(thingName="t0", shadowName="old", payload=b'{"state":{}}')
    assert json.loads(again["payload"].read())["version"] == 2
    assert server.stop() == 0
    assert "panicked" not in server.printed()
