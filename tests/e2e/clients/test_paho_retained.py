"""paho-mqtt: retained messages."""

import time

import pytest

MARKER = b"nothing came before"


@pytest.fixture
def keep(paho, client_id):
    """Publishes retained messages on topics of the test, which are removed in the end."""
    publisher = paho("-keeper")
    kept = set()

    def publish(name, payload, qos=1, **values):
        topic = f"{client_id}/{name}"
        kept.add(topic)
        assert publisher.publish(topic, payload, qos, True, **values) in (0, 0x10)

    yield publish
    for topic in kept:
        publisher.publish(topic, b"", retain=True)


@pytest.fixture
def nothing_more(paho, client_id):
    """Whether a device subscribed to all topics of the test hears the next message next."""

    def is_so(device):
        paho("-marker").publish(f"{client_id}/marker", MARKER)
        return device.message().payload == MARKER

    return is_so


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("publisher_version", [3, 5])
def test_a_late_subscriber_hears_what_was_kept(paho, client_id, version, publisher_version, qos):
    publisher = paho("-pub", version=publisher_version)
    topic = f"{client_id}/state"
    publisher.publish(topic, b"on", qos, True)
    # At QoS 0 only what is acknowledged after it tells that it was taken.
    publisher.publish(f"{client_id}/marker", MARKER)
    late = paho(version=version)
    late.subscribe(topic, 2)
    message = late.message()
    assert (message.topic, message.payload, message.qos) == (topic, b"on", qos)
    assert message.retain
    publisher.publish(topic, b"", retain=True)


def test_the_last_message_replaces_the_one_before(paho, keep, client_id, version):
    keep("state", b"on")
    keep("state", b"off")
    paho("-pub").publish(f"{client_id}/state", b"not kept")
    late = paho(version=version)
    late.subscribe(f"{client_id}/state")
    assert late.message().payload == b"off"


def test_an_empty_message_removes_what_was_kept(
    paho, keep, nothing_more, client_id, version
):
    live = paho("-live", version=version)
    live.subscribe(f"{client_id}/#")
    keep("state", b"on")
    keep("state", b"")
    assert live.payloads(2) == [b"on", b""], "the empty message is delivered"
    late = paho(version=version)
    late.subscribe(f"{client_id}/#")
    assert nothing_more(late)


def test_who_already_listens_hears_an_ordinary_message(paho, keep, client_id, version):
    live = paho(version=version)
    live.subscribe(f"{client_id}/#")
    keep("state", b"on")
    assert not live.message().retain


@pytest.mark.parametrize("filter", ["+/b", "a/+", "#", "a/#", "+/+", "a/b/#"])
def test_wildcards_find_what_was_kept(paho, keep, nothing_more, client_id, version, filter):
    keep("a/b", b"found")
    keep("c/d/e", b"elsewhere")
    late = paho(version=version)
    late.subscribe(f"{client_id}/{filter}")
    expected = {f"{client_id}/a/b"}
    if filter == "#":
        expected.add(f"{client_id}/c/d/e")
    found = [late.message() for _ in expected]
    assert {message.topic for message in found} == expected
    assert all(message.retain for message in found)
    late.subscribe(f"{client_id}/marker")
    assert nothing_more(late)


def test_a_second_subscription_sends_what_was_kept_again(paho, keep, client_id, version):
    keep("state", b"on")
    device = paho(version=version)
    for _ in range(2):
        device.subscribe(f"{client_id}/state")
        assert device.message().payload == b"on"


@pytest.mark.parametrize(
    ("handling", "at_first", "again"), [(0, True, True), (1, True, False), (2, False, False)]
)
def test_retain_handling(paho, keep, nothing_more, client_id, handling, at_first, again):
    keep("state", b"on")
    device = paho()
    for expected in (at_first, again):
        device.subscribe(f"{client_id}/#", retainHandling=handling)
        if expected:
            assert device.message().payload == b"on"
        assert nothing_more(device)


@pytest.mark.parametrize("as_published", [False, True])
def test_retain_as_published(paho, keep, client_id, as_published):
    device = paho()
    device.subscribe(f"{client_id}/#", retainAsPublished=as_published)
    keep("state", b"kept")
    paho("-pub").publish(f"{client_id}/other", b"ordinary")
    assert [device.message().retain for _ in range(2)] == [as_published, False]


def test_a_shared_subscription_hears_nothing_that_was_kept(paho, keep, nothing_more, client_id):
    keep("state", b"on")
    member = paho()
    member.subscribe(f"$share/group/{client_id}/#")
    assert nothing_more(member)


def test_properties_are_kept(paho, keep, client_id):
    keep("state", b"on", ContentType="text/plain", UserProperty=[("b", "1"), ("a", "2")],
         ResponseTopic="an/answer", CorrelationData=b"\x00\xff")
    late = paho()
    late.subscribe(f"{client_id}/state")
    received = late.message().properties
    assert (received.ContentType, received.ResponseTopic) == ("text/plain", "an/answer")
    assert received.UserProperty == [("b", "1"), ("a", "2")]
    assert received.CorrelationData == b"\x00\xff"


def test_what_was_kept_expires(paho, keep, nothing_more, client_id):
    keep("short", b"short", MessageExpiryInterval=1)
    keep("long", b"long", MessageExpiryInterval=100)
    time.sleep(2.5)
    late = paho()
    late.subscribe(f"{client_id}/#")
    message = late.message()
    assert message.payload == b"long"
    assert 1 <= message.properties.MessageExpiryInterval <= 98
    assert nothing_more(late)


def test_the_server_says_that_it_retains(paho):
    assert getattr(paho().connack_properties, "RetainAvailable", 1) == 1
