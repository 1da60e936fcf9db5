"""paho-mqtt: messages of every QoS in both directions, and their properties."""

import pytest

QOS = [0, 1, 2]
# "No matching subscribers" may be told (MQTT 5, 3.4.2.1) and is no failure.
ACCEPTED = (0, 0x10)

PROPERTIES = {
    "PayloadFormatIndicator": 1,
    "ContentType": "text/plain",
    "ResponseTopic": "answers/here",
    "CorrelationData": bytes(range(256)),
    # The order is kept, repeated names and empty ones included [MQTT-3.3.2-18].
    "UserProperty": [("b", "1"), ("a", "2"), ("b", "3"), ("", ""), ("ü", "€")],
}


@pytest.mark.parametrize("publisher_version", [3, 5])
@pytest.mark.parametrize("subscribed", QOS)
@pytest.mark.parametrize("published", QOS)
def test_the_lower_qos_of_both_sides(
    paho, client_id, version, publisher_version, subscribed, published
):
    subscriber = paho(version=version)
    assert subscriber.subscribe(f"{client_id}/+", subscribed) == [subscribed]
    publisher = paho("-pub", version=publisher_version)
    assert publisher.publish(f"{client_id}/a", b"on", published) == 0
    message = subscriber.message()
    assert (message.topic, message.payload) == (f"{client_id}/a", b"on")
    assert message.qos == min(subscribed, published)
    assert not message.retain and not message.dup


@pytest.mark.parametrize("qos", QOS)
def test_a_thousand_messages_in_order_and_each_once(paho, client_id, version, qos):
    subscriber = paho(version=version)
    subscriber.subscribe(client_id, qos)
    publisher = paho("-pub", version=version)
    payloads = [b"%d" % n for n in range(1000)]
    assert set(publisher.publish_all(client_id, payloads, qos)) == {0}
    assert publisher.publish(client_id, b"end", qos) == 0
    assert subscriber.payloads(1001) == [*payloads, b"end"]
    assert subscriber.no_message()


@pytest.mark.parametrize("qos", QOS)
@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_384, 100_000])
def test_payloads_arrive_byte_for_byte(paho, client_id, version, qos, size):
    device = paho(version=version)
    device.subscribe(client_id, qos)
    payload = (bytes(range(256)) * (size // 256 + 1))[:size]
    assert device.publish(client_id, payload, qos) == 0
    assert device.message().payload == payload


def test_a_payload_as_large_as_the_server_says(paho, client_id):
    """What fits the Maximum Packet Size of the CONNACK, a million bytes if there is none."""
    device = paho()
    announced = getattr(device.connack_properties, "MaximumPacketSize", 1_000_000)
    device.subscribe(client_id)
    payload = bytes(min(announced - 100, 1_000_000))
    assert device.publish(client_id, payload) == 0
    assert device.message().payload == payload


def test_two_devices_talk_both_ways_at_once(paho, client_id, version):
    pair = [paho(f"-{n}", version=version) for n in range(2)]
    for n, device in enumerate(pair):
        device.subscribe(f"{client_id}/to/{n}", 2)
    payloads = [b"%d" % n for n in range(100)]
    for qos in QOS:
        for n, device in enumerate(pair):
            for payload in payloads:
                device.client.publish(f"{client_id}/to/{1 - n}", payload, qos)
        for device in pair:
            assert device.payloads(100) == payloads


def test_an_answer_to_a_publish_that_nobody_hears(paho, client_id, version):
    device = paho(version=version)
    for qos in QOS:
        assert device.publish(f"{client_id}/nobody", b"x", qos) in ACCEPTED


@pytest.mark.parametrize("qos", QOS)
def test_properties_arrive_as_they_were(paho, client_id, qos):
    subscriber = paho()
    subscriber.subscribe(client_id, qos)
    assert paho("-pub").publish(client_id, "grüß dich", qos, **PROPERTIES) == 0
    received = subscriber.message().properties
    for name, value in PROPERTIES.items():
        assert getattr(received, name) == value, name


def test_properties_are_no_burden_to_an_older_subscriber(paho, client_id):
    subscriber = paho(version=3)
    subscriber.subscribe(client_id)
    assert paho("-pub").publish(client_id, b"plain", **PROPERTIES) == 0
    assert subscriber.message().payload == b"plain"


def test_request_and_response(paho, client_id):
    asker, answerer = paho("-asker"), paho("-answerer")
    asker.subscribe(f"{client_id}/answers")
    answerer.subscribe(f"{client_id}/questions")
    for number in (b"\x00\x01", b"\xff"):
        asker.publish(f"{client_id}/questions", b"what?",
                      ResponseTopic=f"{client_id}/answers", CorrelationData=number)
        question = answerer.message().properties
        answerer.publish(question.ResponseTopic, b"that",
                         CorrelationData=question.CorrelationData)
        answer = asker.message()
        assert (answer.payload, answer.properties.CorrelationData) == (b"that", number)


def test_aliases_of_the_publisher(paho, client_id):
    """A topic is sent once and named by its alias after; an alias can be given to another."""
    subscriber, publisher = paho(), paho("-pub")
    assert publisher.connack_properties.TopicAliasMaximum >= 2
    subscriber.subscribe(f"{client_id}/#", 2)
    sent = [("a", 1), ("", 1), ("b", 2), ("", 2), ("", 1), ("c", 1), ("", 1)]
    for qos in QOS:
        for name, alias in sent:
            topic = f"{client_id}/{name}" if name else ""
            assert publisher.publish(topic, b"x", qos, TopicAlias=alias) == 0
        heard = [subscriber.message() for _ in sent]
        assert [m.topic.removeprefix(f"{client_id}/") for m in heard] == list("aabbacc")
        # The alias of one connection means nothing on another.
        assert not any(hasattr(m.properties, "TopicAlias") for m in heard)
