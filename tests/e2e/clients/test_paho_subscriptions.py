"""paho-mqtt: filters, shared subscriptions, identifiers and options of a subscription."""

import collections

import pytest

MARKER = b"the marker"


def mark(publisher, topic, devices, qos=1):
    """Publishes a marker that every one of the devices hears; what they heard before it.

    The marker has the QoS of what it follows: only so is the order kept [MQTT-4.6.0-6].
    """
    publisher.publish(topic, MARKER, qos)
    heard = []
    for device in devices:
        messages = []
        while (message := device.message()).payload != MARKER:
            messages.append(message)
        heard.append(messages)
    return heard


@pytest.mark.parametrize(
    ("filter", "matching", "others"),
    [
        ("a", ["a"], ["A", "a/", "/a", "b", "a/b"]),
        ("a/+", ["a/b", "a/", "a/ "], ["a", "a/b/c", "a//"]),
        ("+/b", ["a/b", "/b", "x y/b"], ["b", "a/a/b", "a/B"]),
        ("a/#", ["a", "a/", "a/b", "a/b/c"], ["b", "ab"]),
        ("+/+/+", ["//", "a/b/c", "a//c"], ["a/b", "a/b/c/d"]),
        ("a/+/c/#", ["a/b/c", "a/b/c/d/e", "a//c"], ["a/c", "a/b"]),
        ("ä/€", ["ä/€"], ["ä/e", "Ä/€"]),
    ],
)
def test_filters(paho, client_id, version, filter, matching, others):
    base = client_id
    device, publisher = paho(version=version), paho("-pub", version=version)
    device.subscribe(f"{base}/{filter}")
    device.subscribe("the/marker/of/" + base)
    for name in [*others, *matching, *others]:
        publisher.publish(f"{base}/{name}", name.encode())
    (heard,) = mark(publisher, "the/marker/of/" + base, [device])
    assert [message.topic for message in heard] == [f"{base}/{name}" for name in matching]


@pytest.mark.parametrize("filter", ["#", "+/{base}/#", "{base}/#"])
def test_wildcards_leave_topics_that_start_with_a_dollar_alone(paho, client_id, version, filter):
    """[MQTT-4.7.2-1]."""
    device, publisher = paho(version=version), paho("-pub", version=version)
    device.subscribe(filter.format(base=client_id))
    device.subscribe(f"{client_id}/marker")
    publisher.publish(f"$private/{client_id}/x", b"hidden", qos=0)
    (heard,) = mark(publisher, f"{client_id}/marker", [device])
    assert b"hidden" not in {message.payload for message in heard}


def test_many_filters_at_once(paho, client_id, version):
    device = paho(version=version)
    filters = [(f"{client_id}/{n}", n % 3) for n in range(30)]
    if version == 5:
        # Options are given one by one on MQTT 5.
        granted = [device.subscribe(name, qos)[0] for name, qos in filters]
    else:
        device.client.subscribe(filters)
        granted = [reason.value for reason in device.subacks.get(timeout=15)]
    assert granted == [qos for _, qos in filters]
    for name, qos in filters:
        device.publish(name, b"x", 2)
        message = device.message()
        assert (message.topic, message.qos) == (name, qos)


def test_a_filter_subscribed_again_is_replaced(paho, client_id, version):
    device = paho(version=version)
    for qos in (2, 0, 1):
        assert device.subscribe(client_id, qos) == [qos]
        device.publish(client_id, b"x", 2)
        assert device.message().qos == qos
    assert device.no_message()


def test_overlapping_filters_bring_the_highest_qos(paho, client_id, version):
    """One copy with the highest QoS, or one copy for each [MQTT-3.3.4-2]."""
    device, publisher = paho(version=version), paho("-pub", version=version)
    for filter, qos in [("#", 0), ("+", 1), ("a", 2)]:
        device.subscribe(f"{client_id}/{filter}", qos)
    device.subscribe(f"{client_id}-marker", 2)
    publisher.publish(f"{client_id}/a", b"x", 2)
    (heard,) = mark(publisher, f"{client_id}-marker", [device], 2)
    heard = [message.qos for message in heard if message.payload == b"x"]
    assert sorted(heard) in ([2], [0, 1, 2])


def test_an_unsubscribed_filter_is_silent(paho, client_id, version):
    device, publisher = paho(version=version), paho("-pub", version=version)
    device.subscribe(f"{client_id}/marker")
    device.subscribe(f"{client_id}/a")
    reasons = [device.unsubscribe(f"{client_id}/a"), device.unsubscribe(f"{client_id}/a")]
    # "No subscription existed" for the second time; MQTT 3.1.1 has no reasons.
    assert reasons == ([[0], [0x11]] if version == 5 else [[], []])
    publisher.publish(f"{client_id}/a", b"unheard")
    assert mark(publisher, f"{client_id}/marker", [device]) == [[]]


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_shared_subscription_spreads_messages(paho, client_id, version, qos):
    """Each message to one member, none lost, every member has its part."""
    publisher = paho("-pub", version=version)
    members = [paho(f"-{n}", version=version) for n in range(3)]
    outsider = paho("-outsider", version=version)
    for member in members:
        assert member.subscribe(f"$share/group/{client_id}/work/+", qos) == [qos]
    for device in (*members, outsider):
        device.subscribe(f"{client_id}/marker", qos)
    outsider.subscribe(f"{client_id}/work/#", qos)
    payloads = [b"%d" % n for n in range(90)]
    publisher.publish_all(f"{client_id}/work/x", payloads, qos)
    *parts, all_of_it = mark(publisher, f"{client_id}/marker", [*members, outsider], qos)
    shared = [message.payload for part in parts for message in part]
    assert sorted(shared) == sorted(payloads)
    assert all(len(part) >= 9 for part in parts), [len(part) for part in parts]
    assert [message.payload for message in all_of_it] == payloads


def test_groups_of_one_filter_are_apart(paho, client_id, version):
    publisher = paho("-pub", version=version)
    members = [paho(f"-{group}{n}", version=version) for group in "ab" for n in range(2)]
    for member, group in zip(members, "aabb"):
        member.subscribe(f"$share/{group}/{client_id}/work")
        member.subscribe(f"{client_id}/marker")
    payloads = [b"%d" % n for n in range(20)]
    publisher.publish_all(f"{client_id}/work", payloads)
    parts = mark(publisher, f"{client_id}/marker", members)
    for first, second in (parts[:2], parts[2:]):
        assert sorted(m.payload for m in first + second) == sorted(payloads)


@pytest.mark.parametrize("leave", ["close", "drop", "unsubscribe"])
def test_the_others_take_over_from_a_member_that_leaves(paho, client_id, version, leave):
    shared = f"$share/group/{client_id}/work"
    publisher = paho("-pub", version=version)
    first, second = (paho(f"-{n}", version=version) for n in range(2))
    for member in (first, second):
        member.subscribe(shared)
        member.subscribe(f"{client_id}/marker")
    payloads = [b"%d" % n for n in range(20)]
    publisher.publish_all(f"{client_id}/work", payloads)
    heard = mark(publisher, f"{client_id}/marker", [first, second])
    assert sorted(m.payload for part in heard for m in part) == sorted(payloads)
    if leave == "unsubscribe":
        first.unsubscribe(shared)
    else:
        getattr(first, leave)()
        # The same client ID once more: the server has noticed that the member is gone.
        paho("-0", version=version)
    publisher.publish_all(f"{client_id}/work", payloads)
    (heard,) = mark(publisher, f"{client_id}/marker", [second])
    assert [m.payload for m in heard] == payloads


def test_what_a_member_did_not_acknowledge_is_not_lost(paho, client_id):
    """A member with a session that lasts comes back and has what it did not acknowledge."""
    shared = f"$share/group/{client_id}/work"
    member = paho("-member", clean=False, session_expiry=600, manual_ack=True)
    member.subscribe(shared)
    publisher = paho("-pub")
    publisher.publish_all(f"{client_id}/work", [b"1", b"2", b"3"])
    assert member.payloads(3) == [b"1", b"2", b"3"]
    member.drop()
    back = paho("-member", clean=False, session_expiry=600)
    assert back.session_present
    assert sorted(back.payloads(3)) == [b"1", b"2", b"3"]


def test_a_subscription_identifier_comes_with_its_messages(paho, client_id):
    device, publisher = paho(), paho("-pub")
    identifiers = {"a": 1, "b": 127, "c": 128, "d": 268_435_455}
    for name, identifier in identifiers.items():
        device.subscribe(f"{client_id}/{name}", identifier=identifier)
    device.subscribe(f"{client_id}/none")
    for name, identifier in identifiers.items():
        publisher.publish(f"{client_id}/{name}", b"x")
        assert device.message().properties.SubscriptionIdentifier == [identifier]
    publisher.publish(f"{client_id}/none", b"x")
    assert not hasattr(device.message().properties, "SubscriptionIdentifier")


def test_a_message_has_the_identifier_of_each_filter_it_matches(paho, client_id):
    """In one copy with all of them or in several copies [MQTT-3.3.4-4]."""
    device, publisher = paho(), paho("-pub")
    device.subscribe(f"{client_id}/#", identifier=1)
    device.subscribe(f"{client_id}/+", identifier=2)
    device.subscribe(f"{client_id}/other", identifier=3)
    publisher.publish(f"{client_id}/a", b"x")
    (heard,) = mark(publisher, f"{client_id}/marker", [device])
    found = [n for m in heard if m.payload == b"x" for n in m.properties.SubscriptionIdentifier]
    assert sorted(found) == [1, 2]


def test_an_identifier_is_replaced_with_its_subscription(paho, client_id):
    device = paho(clean=False, session_expiry=600)
    device.subscribe(client_id, identifier=1)
    device.subscribe(client_id, identifier=2)
    device.publish(client_id, b"x")
    assert device.message().properties.SubscriptionIdentifier == [2]
    device.close()
    paho("-pub").publish(client_id, b"queued")
    back = paho(clean=False, session_expiry=600)
    assert back.message().properties.SubscriptionIdentifier == [2]
    back.subscribe(client_id)
    back.publish(client_id, b"x")
    assert not hasattr(back.message().properties, "SubscriptionIdentifier")


def test_no_local(paho, client_id):
    device, publisher = paho(), paho("-pub")
    device.subscribe(f"{client_id}/#", noLocal=True)
    device.publish(f"{client_id}/a", b"my own")
    assert mark(publisher, f"{client_id}/marker", [device]) == [[]]


def test_the_options_of_a_subscription_are_replaced_with_it(paho, client_id):
    """[MQTT-3.8.4-3]."""
    device, publisher = paho(), paho("-pub")
    device.subscribe(f"{client_id}/#", noLocal=True)
    device.subscribe(f"{client_id}/#", noLocal=False)
    device.publish(f"{client_id}/a", b"my own")
    (heard,) = mark(publisher, f"{client_id}/marker", [device])
    assert [message.payload for message in heard] == [b"my own"]


def test_the_server_says_what_it_can(paho):
    """What is absent is available (MQTT 5, 3.2.2.3)."""
    granted = paho().connack_properties
    for name, value in [("MaximumQoS", 2), ("WildcardSubscriptionAvailable", 1),
                        ("SubscriptionIdentifierAvailable", 1),
                        ("SharedSubscriptionAvailable", 1)]:
        assert getattr(granted, name, value) == value, name
