"""The same scenarios for every client library that is a program of its own.

What one scenario publishes the other side of it hears with paho-mqtt, and the other way round.
"""

import dataclasses

import pytest

from harness import programs
from harness.driven_client import DrivenClient

QOS = [0, 1, 2]


@dataclasses.dataclass(frozen=True)
class Kind:
    """A library, and the transport it is used with."""

    name: str
    command: callable
    transport: str = "mqtt"


KINDS = [
    Kind("mqttjs", programs.mqttjs),
    Kind("mqttjs-websocket", programs.mqttjs, "ws"),
    Kind("rumqttc", programs.rumqttc),
    Kind("gmqtt", programs.gmqtt),
    Kind("aiomqtt", programs.aiomqtt),
]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def start(request, broker):
    """Starts clients of one library, not connected yet."""
    clients = []

    def client():
        clients.append(DrivenClient(request.param.command(), broker, request.param.transport))
        return clients[-1]

    yield client
    for client in clients:
        client.close()


def test_messages_go_both_ways(start, paho, client_id, version):
    client, other = start(), paho("-other", version=version)
    client.connect(client_id, version)
    for qos in QOS:
        assert client.subscribe(f"{client_id}/in/{qos}/+", qos) == [qos]
        assert other.subscribe(f"{client_id}/out/{qos}", qos) == [qos]
        client.publish(f"{client_id}/out/{qos}", "from ü", qos=qos)
        message = other.message()
        assert (message.payload, message.qos) == ("from ü".encode(), qos)
        other.publish(f"{client_id}/in/{qos}/a", "to ü", qos)
        heard = client.message()
        assert (heard["topic"], heard["payload"], heard["qos"], heard["retain"]) == (
            f"{client_id}/in/{qos}/a", "to ü", qos, False)
    client.disconnect()


@pytest.mark.parametrize("qos", QOS)
def test_many_messages_in_order_and_each_once(start, client_id, version, qos):
    client = start()
    client.connect(client_id, version)
    client.subscribe(client_id, qos)
    payloads = [str(n) for n in range(90)]
    client.publish(client_id, *payloads, qos=qos)
    client.publish(client_id, "end", qos=qos)
    assert client.payloads(91) == [*payloads, "end"]
    client.disconnect()


def test_an_unsubscribed_filter_is_silent(start, client_id, version):
    client = start()
    client.connect(client_id, version)
    client.subscribe(f"{client_id}/a", 1)
    client.subscribe(f"{client_id}/b", 1)
    client.unsubscribe(f"{client_id}/a")
    client.publish(f"{client_id}/a", "unheard")
    client.publish(f"{client_id}/b", "heard")
    assert client.message()["payload"] == "heard"


def test_retained_messages(start, paho, client_id, version):
    client = start()
    client.connect(f"{client_id}-a", version)
    client.publish(f"{client_id}/state", "on", retain=True)
    late = start()
    late.connect(f"{client_id}-b", version)
    late.subscribe(f"{client_id}/#", 1)
    message = late.message()
    assert (message["payload"], message["retain"]) == ("on", True)
    client.publish(f"{client_id}/state", "", retain=True)
    assert late.message()["payload"] == ""
    last = paho("-last", version=version)
    last.subscribe(f"{client_id}/#")
    client.publish(f"{client_id}/marker", "nothing was kept")
    assert last.message().payload == b"nothing was kept"


def test_the_will_of_a_program_that_is_killed(start, paho, client_id, version):
    witness = paho("-witness", version=version)
    witness.subscribe(f"{client_id}/#", 2)
    client = start()
    client.connect(client_id, version, will={
        "topic": f"{client_id}/will", "payload": "gone", "qos": 2, "retain": False})
    client.kill()
    message = witness.message()
    assert (message.topic, message.payload, message.qos) == (f"{client_id}/will", b"gone", 2)


def test_a_session_is_resumed_with_what_waited(start, paho, client_id, version):
    options = {"version": version, "clean": False, "session_expiry": 600}
    client = start()
    assert not client.connect(client_id, **options)
    for qos in (1, 2):
        client.subscribe(f"{client_id}/{qos}", qos)
    client.disconnect()
    other = paho("-other", version=version)
    payloads = [str(n) for n in range(20)]
    for qos in (1, 2):
        other.publish_all(f"{client_id}/{qos}", payloads, qos)
    back = start()
    assert back.connect(client_id, **options) in (True, None)
    heard = [back.message() for _ in range(40)]
    for qos in (1, 2):
        mine = [message["payload"] for message in heard if message["qos"] == qos]
        assert mine == payloads
    other.publish(f"{client_id}/1", b"live")
    assert back.message()["payload"] == "live"


def test_properties(start, paho, client_id):
    expected = {"content_type": "text/plain", "response_topic": "an/answer",
                "correlation_data": "number 7", "user_properties": [["b", "1"], ["a", "2"]]}
    client, other = start(), paho("-other")
    client.connect(client_id, 5)
    client.subscribe(f"{client_id}/in", 1)
    other.subscribe(f"{client_id}/out")
    client.publish(f"{client_id}/out", "x", **expected)
    received = other.message().properties
    assert (received.ContentType, received.ResponseTopic) == ("text/plain", "an/answer")
    assert received.CorrelationData == b"number 7"
    assert received.UserProperty == [("b", "1"), ("a", "2")]
    other.publish(f"{client_id}/in", b"x", ContentType="text/plain", ResponseTopic="an/answer",
                  CorrelationData=b"number 7", UserProperty=[("b", "1"), ("a", "2")])
    assert client.message()["properties"] == expected


@pytest.mark.parametrize("transport", ["mqtt", "ws"])
@pytest.mark.parametrize("clean", [True, False])
def test_mqttjs_connects_and_subscribes_again(broker, paho, client_id, version, transport, clean):
    """Another connection with its client ID takes over; when it comes back it hears as before."""
    client = DrivenClient(programs.mqttjs(), broker, transport)
    client.connect(client_id, version, clean=clean, session_expiry=600)
    client.subscribe(f"{client_id}/a", 1)
    paho(version=version, clean=clean, session_expiry=600).close()
    client.online.get(timeout=30)
    other = paho("-other", version=version)
    # Its SUBACK comes after that of the subscriptions which the client made again by itself.
    client.subscribe(f"{client_id}/b", 1)
    other.publish(f"{client_id}/a", b"as before")
    assert client.message()["payload"] == "as before"
    client.close()
