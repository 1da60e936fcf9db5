"""Publish-subscribe with clients of the AWS IoT Device SDK, as AWS IoT Core has it."""

import contextlib
import json

import pytest
from awsiot import mqtt5_client_builder, mqtt_connection_builder

from harness import packets
from harness.paho_device import PahoDevice
from harness.sdk_device import Sdk3, Sdk5
from harness.wire_device import WireDevice

VERSIONS = {
    3: (Sdk3, mqtt_connection_builder.mtls_from_path),
    5: (Sdk5, mqtt5_client_builder.mtls_from_path),
}
MARKER = b"the marker"


@pytest.fixture(params=[3, 5], ids=["v3.1.1", "v5"])
def version(request):
    """Both versions of MQTT."""
    return request.param


@pytest.fixture
def sdk(unlimited_server, people, client_id, version):
    """Makes devices with the certificate that may do everything; `with` connects them."""
    server = unlimited_server

    def device(role="", clean=True, device_version=version):
        device_class, build = VERSIONS[device_version]
        return device_class(
            build, clean=clean, client_id=f"{client_id}{role}", endpoint="localhost",
            port=server.port("mqtts"), ca_filepath=server.ca,
            cert_filepath=str(people.anything.cert), pri_key_filepath=str(people.anything.key),
        )

    return device


def test_a_session_is_resumed_with_what_waited(sdk, client_id):
    with sdk(clean=False) as device:
        assert not device.session_present
        assert device.subscribe(f"e2e/{client_id}/+") == 1
    with sdk("-pub") as publisher:
        for n in range(5):
            publisher.publish(f"e2e/{client_id}/{n}", b"waiting")
        with sdk(clean=False) as back:
            assert back.session_present
            # At most ten a second [spec 4.2]; their order is not promised.
            waited = [back.message(30) for _ in range(5)]
            assert {m.topic for m in waited} == {f"e2e/{client_id}/{n}" for n in range(5)}
            assert {(m.payload, int(m.qos)) for m in waited} == {(b"waiting", 1)}
            publisher.publish(f"e2e/{client_id}/live", b"live")
            assert back.message().payload == b"live"


def test_messages_of_qos_0_do_not_wait(sdk, client_id):
    with sdk(clean=False) as device:
        device.subscribe(f"e2e/{client_id}/+")
    with sdk("-pub") as publisher:
        # A publish of QoS 1 after it: the first was handled.
        publisher.publish(f"e2e/{client_id}/a", b"dropped", qos=0)
        publisher.publish(f"e2e/{client_id}/b", b"kept")
        with sdk(clean=False) as back:
            assert back.message().payload == b"kept"


def test_a_retained_message_on_its_exact_filter(sdk, client_id):
    topic = f"e2e/{client_id}/state"
    with sdk("-pub") as publisher, sdk("-late") as late:
        publisher.publish(topic, b"on", retain=True)
        # AWS: a wildcard finds no retained message.
        late.subscribe(f"e2e/{client_id}/+")
        publisher.publish(f"e2e/{client_id}/marker", MARKER)
        assert late.message().payload == MARKER
        late.subscribe(topic)
        message = late.message()
        assert (message.topic, message.payload, message.retain) == (topic, b"on", True)
        publisher.publish(topic, b"", retain=True)


def test_a_shared_subscription(sdk, client_id):
    topic = f"e2e/{client_id}/work"
    with sdk("-a") as first, sdk("-b") as second, sdk("-pub") as publisher:
        for member in (first, second):
            assert member.subscribe(f"$share/group/{topic}") == 1
            member.subscribe(f"e2e/{client_id}/marker")
        payloads = [b"%d" % n for n in range(40)]
        for payload in payloads:
            publisher.publish(topic, payload)
        publisher.publish(f"e2e/{client_id}/marker", MARKER)
        parts = [until_marker(member) for member in (first, second)]
    assert sorted(parts[0] + parts[1]) == sorted(payloads)
    assert all(parts), "each member has its part"


def until_marker(device):
    """The payloads before the marker."""
    heard = []
    while (message := device.message()).payload != MARKER:
        heard.append(message.payload)
    return heard


def test_basic_ingest_is_acknowledged_and_goes_to_nobody(sdk, client_id):
    """`$aws/rules/...` is for the rules engine, which takes it [spec 5]."""
    topic = f"e2e/{client_id}"
    with sdk() as device:
        device.subscribe(topic)
        device.subscribe("#")
        assert device.publish(f"$aws/rules/lamps/{topic}", b"to the rule") in (0, 0x10)
        device.publish(topic, MARKER)
        assert device.message().payload == MARKER


def test_nobody_can_subscribe_to_basic_ingest(sdk, client_id):
    with sdk(device_version=5) as device:
        assert device.subscribe(f"$aws/rules/lamps/{client_id}") >= 0x80


def test_qos_2_is_refused(unlimited_server, people, client_id, version):
    """The broker answers nothing, but for the DISCONNECT of MQTT 5 [spec 4.3]."""
    device = PahoDevice(client_id, version)
    with device.connected(unlimited_server, certificate=people.anything):
        # AWS grants no more than QoS 1.
        assert device.subscribe(f"e2e/{client_id}", 2) == [1]
        device.client.publish(f"e2e/{client_id}", b"x", 2)
        goodbye = device.disconnects.get(timeout=15)
        assert version == 3 or goodbye.value == 0x9B
        assert device.no_message()


def test_qos_2_is_announced_as_missing(sdk, client_id):
    with sdk(device_version=5) as device, pytest.raises(Exception, match="(?i)qos|validation"):
        device.publish(f"e2e/{client_id}", b"x", qos=2)


def events_of(watcher, client_id, count):
    """The next lifecycle events of a client: the part of the topic after `$aws/events/`, body."""
    found = []
    while len(found) < count:
        message = watcher.message()
        _, _, family, name, about = message.topic.split("/")
        if about == client_id:
            found.append((f"{family}/{name}", json.loads(message.payload)))
    return found


def test_lifecycle_events_of_a_device(sdk, people, client_id):
    """The contract's 4.7."""
    with sdk("-watcher") as watcher:
        for filter in ("presence/connected/+", "presence/disconnected/+",
                       f"subscriptions/subscribed/{client_id}",
                       f"subscriptions/unsubscribed/{client_id}"):
            assert watcher.subscribe(f"$aws/events/{filter}") == 1
        versions = []
        for _ in range(2):
            with sdk() as device:
                device.subscribe(f"e2e/{client_id}")
                device.unsubscribe(f"e2e/{client_id}")
            heard = events_of(watcher, client_id, 4)
            # The order of events is not promised.
            events = dict(heard)
            assert len(events) == 4, heard
            check_connected(events["presence/connected"], client_id, people)
            check_disconnected(events["presence/disconnected"], events["presence/connected"])
            for name in ("subscribed", "unsubscribed"):
                event = events[f"subscriptions/{name}"]
                assert (event["clientId"], event["eventType"]) == (client_id, name)
                assert event["topics"] == [f"e2e/{client_id}"]
            versions.append(events["presence/connected"]["versionNumber"])
    assert versions[0] < versions[1]


def check_connected(event, client_id, people):
    """Every member of a `connected` event."""
    assert (event["clientId"], event["eventType"]) == (client_id, "connected")
    assert isinstance(event["timestamp"], int) and event["timestamp"] > 1_700_000_000_000
    assert isinstance(event["sessionIdentifier"], str) and event["sessionIdentifier"]
    assert event["principalIdentifier"] == people.anything.certificate_id
    assert event["ipAddress"] == "127.0.0.1"
    assert isinstance(event["versionNumber"], int)
    assert "thingName" not in event


def check_disconnected(event, connected):
    """Every member of a `disconnected` event, and what it shares with its `connected`."""
    assert event["eventType"] == "disconnected"
    for name in ("clientId", "sessionIdentifier", "principalIdentifier", "versionNumber"):
        assert event[name] == connected[name], name
    assert event["timestamp"] >= connected["timestamp"]
    assert event["clientInitiatedDisconnect"] is True
    assert event["disconnectReason"] == "CLIENT_INITIATED_DISCONNECT"
    assert "ipAddress" not in event


@pytest.mark.parametrize(
    ("end", "reason"),
    [("close", "CLIENT_INITIATED_DISCONNECT"), ("drop", "CONNECTION_LOST"),
     ("taken over", "DUPLICATE_CLIENTID"), ("second CONNECT", "CLIENT_ERROR")],
)
def test_the_reason_of_a_disconnected_event(
    sdk, unlimited_server, people, client_id, end, reason
):
    with sdk("-watcher", device_version=5) as watcher, contextlib.ExitStack() as others:
        ends = f"$aws/events/presence/disconnected/{client_id}"
        watcher.subscribe(ends)
        device = PahoDevice(client_id)
        device.connected(unlimited_server, certificate=people.anything)
        if end == "taken over":
            newer = WireDevice.connected(unlimited_server, client_id, people.anything)
            others.enter_context(newer)
        elif end == "second CONNECT":
            device.client.socket().sendall(packets.connect(client_id))
        else:
            getattr(device, end)()
        ((_, event),) = events_of(watcher, client_id, 1)
        assert event["disconnectReason"] == reason
        assert event["clientInitiatedDisconnect"] is (end == "close")
        # The SDK hangs when a message comes in while it is told to stop.
        watcher.unsubscribe(ends)
        device.close()


def test_a_refused_connection_is_an_event(sdk, unlimited_server, people, client_id):
    with sdk("-watcher", device_version=5) as watcher:
        watcher.subscribe("$aws/events/presence/connect_failed/+")
        with PahoDevice(client_id) as stranger:
            _, reason = stranger.connect(unlimited_server, certificate=people.narrow)
            assert reason.is_failure
        ((_, event),) = events_of(watcher, client_id, 1)
    assert (event["clientId"], event["eventType"]) == (client_id, "connect_failed")
    assert event["connectFailureReason"] == "AUTHORIZATION_FAILED"
    assert event["principalIdentifier"] == people.narrow.certificate_id
