"""Shared subscriptions: section 4.8.2."""

import itertools

import pytest

from harness import packets
from harness.fence import arrivals, payloads
from harness.packets import Will

QOS = (0, 1, 2)


@pytest.fixture
def share(topic):
    """The filter of a group of its own for the topic."""
    return f"$share/{topic.replace('/', '-')}/{topic}"


def test_each_message_goes_to_one_member(connect, topic, share, publisher):
    """[MQTT-4.8.2-1], [MQTT-4.8.2-2]; who subscribes for itself gets its own copy."""
    members, alone = [connect(), connect(), connect(version=3)], connect()
    for member in members:
        assert member.subscribe(share) == [1]
    alone.subscribe(topic)
    sent = [b"%d" % number for number in range(12)]
    for payload in sent:
        publisher.publish(topic, payload, qos=1)
    got = [payload for member in members for payload in payloads(member, publisher)]
    assert sorted(got) == sorted(sent)
    assert payloads(alone, publisher) == sent


def test_groups_do_not_take_from_each_other(connect, topic, share, publisher):
    """[MQTT-4.8.2-1]: a group is its name and its filter."""
    groups = [share, share.replace("$share/", "$share/other-"), f"{share}/#"]
    members = [connect() for _ in groups]
    for member, group in zip(members, groups):
        member.subscribe(group)
    publisher.publish(topic, b"x", qos=1)
    assert [payloads(member, publisher) for member in members] == [[b"x"]] * 3


@pytest.mark.parametrize(("published", "granted"), itertools.product(QOS, QOS))
def test_a_shared_message_comes_with_the_granted_qos(
        connect, topic, share, version, publisher, published, granted):
    """[MQTT-4.8.2-3]."""
    member = connect(version=version)
    member.subscribe(share, qos=granted)
    publisher.publish(topic, b"x", qos=published)
    assert member.take().qos == min(published, granted)


def test_a_shared_subscription_has_no_retained_messages(connect, topic, share, publisher):
    """They are not sent when it is made (section 4.8.2)."""
    publisher.publish(topic, b"kept", qos=1, retain=True)
    member = connect()
    member.subscribe(share)
    assert payloads(member, publisher) == []


def test_a_qos_2_delivery_waits_for_the_member_it_began_with(
        connect, topic, share, client_id, publisher):
    """[MQTT-4.8.2-4]."""
    member, other = connect(client_id, stays=True), connect()
    member.subscribe(share, qos=2)
    publisher.publish(topic, b"x", qos=2)
    first = member.message()
    other.subscribe(share, qos=2)
    member.close()
    member = connect(client_id, stays=True)
    again = member.take()
    assert (again.packet_id, again.payload, again.dup) == (first.packet_id, b"x", True)
    assert payloads(other, publisher) == []


def test_a_qos_2_delivery_that_began_dies_with_its_session(connect, topic, share, publisher):
    """[MQTT-4.8.2-5]; the Will tells when connection and session ended."""
    watcher = connect()
    watcher.subscribe(f"{topic}/ended")
    member, other = connect(will=Will(f"{topic}/ended")), connect()
    member.subscribe(share, qos=2)
    publisher.publish(topic, b"x", qos=2)
    member.message()
    other.subscribe(share, qos=2)
    member.close()
    watcher.message()
    assert payloads(other, publisher) == []


@pytest.mark.parametrize("qos", [1, 2])
def test_a_shared_message_that_was_refused_goes_to_nobody_else(
        connect, topic, share, publisher, qos):
    """[MQTT-4.8.2-6]."""
    member, other = connect(), connect()
    member.subscribe(share, qos=qos)
    publisher.publish(topic, b"x", qos)
    message = member.message()
    other.subscribe(share, qos=qos)
    refuse = packets.puback if qos == 1 else packets.pubrec
    member.send(refuse(message.packet_id, reason=0x80))
    assert member.is_silent()
    assert [payloads(device, publisher) for device in (member, other)] == [[], []]


def test_a_member_that_leaves_is_sent_no_more(connect, topic, share, publisher):
    """UNSUBSCRIBE names the group as well [MQTT-3.10.4-1], [MQTT-3.10.4-2]."""
    member, other = connect(), connect()
    for device in (member, other):
        device.subscribe(share)
    member.unsubscribe(topic)
    assert member.unsubscribe(share) == [0]
    for _ in range(6):
        publisher.publish(topic, b"x", qos=1)
    assert payloads(member, publisher) == []
    assert len(arrivals(other, publisher)) == 6
