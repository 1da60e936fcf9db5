"""paho-mqtt: what a client bounds: the window, the size of packets, aliases."""

import pytest


@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("qos", [1, 2])
def test_no_more_than_the_window_is_unacknowledged(paho, client_id, window, qos):
    """[MQTT-3.3.4-9]."""
    slow, publisher = paho("-slow", manual_ack=True, ReceiveMaximum=window), paho("-pub")
    slow.subscribe(client_id, qos)
    payloads = [b"%d" % n for n in range(10)]
    publisher.publish_all(client_id, payloads, qos)
    held, heard = [], []
    while len(heard) < len(payloads):
        while len(held) < min(window, len(payloads) - len(heard)):
            held.append(slow.message())
        # A SUBACK comes after whatever the server had sent before it.
        slow.subscribe(f"{client_id}/other", qos)
        assert slow.no_message()
        first = held.pop(0)
        heard.append(first.payload)
        slow.acknowledge(first)
    assert heard == payloads


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_packet_that_is_too_large_is_left_out(paho, client_id, qos):
    """[MQTT-3.1.2-24] [MQTT-3.1.2-25]: dropped for this client, and only for this one."""
    small, large = paho("-small", MaximumPacketSize=200), paho("-large")
    publisher = paho("-pub")
    for device in (small, large):
        device.subscribe(client_id, qos)
    sent = [b"fits", b"x" * 200, b"fits as well", b"x" * 10_000, b"end"]
    publisher.publish_all(client_id, sent, qos)
    assert large.payloads(5) == sent
    assert small.payloads(3) == [b"fits", b"fits as well", b"end"]


def test_what_is_too_large_does_not_wait_for_who_is_away(paho, client_id):
    options = {"clean": False, "session_expiry": 600, "MaximumPacketSize": 200}
    device = paho(**options)
    device.subscribe(client_id)
    device.close()
    paho("-pub").publish_all(client_id, [b"x" * 500, b"fits"])
    assert paho(**options).payloads(1) == [b"fits"]


def resolved_topics(device, count):
    """Topics of the next messages, by the aliases they came with; and how many were by alias."""
    aliases, topics, short = {}, [], 0
    for _ in range(count):
        message = device.message()
        topic, alias = message.topic, getattr(message.properties, "TopicAlias", None)
        if alias is not None and topic:
            aliases[alias] = topic
        elif not topic:
            topic, short = aliases[alias], short + 1
        topics.append(topic)
    return topics, short, aliases


def test_a_client_that_takes_aliases_can_resolve_every_topic(paho, client_id):
    device, publisher = paho(TopicAliasMaximum=2), paho("-pub")
    device.subscribe(f"{client_id}/#")
    names = list("aaabbbcccaaabcdabcd")
    for name in names:
        publisher.publish(f"{client_id}/{name}", b"x")
    topics, _, aliases = resolved_topics(device, len(names))
    assert topics == [f"{client_id}/{name}" for name in names]
    assert set(aliases) <= {1, 2}


def test_a_client_without_aliases_gets_every_topic(paho, client_id):
    device, publisher = paho(), paho("-pub")
    device.subscribe(client_id)
    for _ in range(5):
        publisher.publish(client_id, b"x")
        message = device.message()
        assert message.topic == client_id
        assert not hasattr(message.properties, "TopicAlias")


def test_aliases_do_not_outlive_their_connection(paho, client_id):
    options = {"clean": False, "session_expiry": 600, "TopicAliasMaximum": 5}
    device = paho(**options)
    device.subscribe(client_id)
    publisher = paho("-pub")
    publisher.publish_all(client_id, [b"1", b"2"])
    assert resolved_topics(device, 2)[0] == [client_id] * 2
    device.close()
    publisher.publish_all(client_id, [b"3", b"4"])
    assert resolved_topics(paho(**options), 2)[0] == [client_id] * 2

