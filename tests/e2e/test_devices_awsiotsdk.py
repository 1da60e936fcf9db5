"""Devices that are unmodified clients of the AWS IoT Device SDK."""

import queue

import pytest
from awscrt import auth, mqtt, mqtt5
from awsiot import mqtt5_client_builder, mqtt_connection_builder

from harness.population import TEMPORARY
from harness.signing import Credentials

TOPIC = "e2e/lamp"


class Sdk5:
    """The MQTT 5 client."""

    def __init__(self, build, **options):
        self.messages = queue.Queue()
        self.connected = queue.Queue()
        self.stopped = queue.Queue()
        self.client = build(
            on_publish_received=lambda data: self.messages.put(data.publish_packet),
            on_lifecycle_connection_success=lambda data: self.connected.put(data.connack_packet),
            on_lifecycle_connection_failure=lambda data: self.connected.put(data.exception),
            on_lifecycle_stopped=self.stopped.put,
            **options,
        )

    def __enter__(self):
        self.client.start()
        self.connack = self.connected.get(timeout=30)
        assert isinstance(self.connack, mqtt5.ConnackPacket), self.connack
        return self

    def __exit__(self, *_):
        self.client.stop()
        self.stopped.get(timeout=30)


class Sdk3:
    """The MQTT 3.1.1 client."""

    def __init__(self, build, **options):
        self.messages = queue.Queue()
        self.connection = build(clean_session=True, **options)
        self.connection.on_message(
            lambda topic, payload, dup, qos, retain, **_: self.messages.put((topic, payload, qos))
        )

    def __enter__(self):
        self.connection.connect().result(timeout=30)
        return self

    def __exit__(self, *_):
        self.connection.disconnect().result(timeout=30)


@pytest.fixture
def x509(server, people, client_id):
    """Options of a client with a certificate."""
    return {
        "cert_filepath": str(people.fleet.cert), "pri_key_filepath": str(people.fleet.key),
        "ca_filepath": server.ca, "endpoint": "localhost", "port": server.port("mqtts"),
        "client_id": client_id,
    }


@pytest.fixture
def sigv4(server, client_id):
    """Options of a client on a signed WebSocket, for given credentials."""

    def options(credentials: Credentials):
        provider = auth.AwsCredentialsProvider.new_static(
            credentials.access_key, credentials.secret_key, credentials.token
        )
        return {
            "region": server.region, "credentials_provider": provider, "endpoint": "localhost",
            "port": server.port("wss"), "ca_filepath": server.ca, "client_id": client_id,
        }

    return options


def test_mqtt_5_with_a_certificate(boto, x509, client_id):
    with Sdk5(mqtt5_client_builder.mtls_from_path, **x509) as device:
        assert device.connack.maximum_qos == mqtt5.QoS.AT_LEAST_ONCE
        assert device.connack.receive_maximum == 100
        assert device.connack.maximum_packet_size == 149504
        boto.send(client_id, TOPIC, confirmation=True, timeout=10, payload=b"hello",
                  contentType="text/plain", userProperties=[{"a": "b"}])
        message = device.messages.get(timeout=15)
        assert (message.topic, message.payload, message.qos) == (
            TOPIC, b"hello", mqtt5.QoS.AT_LEAST_ONCE)
        assert message.content_type == "text/plain"
        assert [(p.name, p.value) for p in message.user_properties] == [("a", "b")]


def test_mqtt_5_publishes_to_its_own_subscription(x509, client_id):
    topic = f"e2e/{client_id}"
    with Sdk5(mqtt5_client_builder.mtls_from_path, **x509) as device:
        subscription = mqtt5.Subscription(topic, mqtt5.QoS.AT_LEAST_ONCE)
        suback = device.client.subscribe(mqtt5.SubscribePacket([subscription])).result(30)
        assert suback.reason_codes == [mqtt5.SubackReasonCode.GRANTED_QOS_1]
        packet = mqtt5.PublishPacket(topic=topic, payload=b"hello", qos=mqtt5.QoS.AT_LEAST_ONCE)
        puback = device.client.publish(packet).result(30).puback
        assert puback.reason_code in (mqtt5.PubackReasonCode.SUCCESS,
                                      mqtt5.PubackReasonCode.NO_MATCHING_SUBSCRIBERS)
        assert device.messages.get(timeout=15).payload == b"hello"


def test_mqtt_3_with_a_certificate(boto, x509, client_id):
    with Sdk3(mqtt_connection_builder.mtls_from_path, **x509) as device:
        boto.send(client_id, TOPIC, confirmation=True, timeout=10, payload=b"hello")
        assert device.messages.get(timeout=15) == (TOPIC, b"hello", mqtt.QoS.AT_LEAST_ONCE)


def test_mqtt_3_publishes_to_its_own_subscription(x509, client_id):
    topic = f"e2e/{client_id}"
    with Sdk3(mqtt_connection_builder.mtls_from_path, **x509) as device:
        subscribed, _ = device.connection.subscribe(topic, mqtt.QoS.AT_LEAST_ONCE)
        assert subscribed.result(30)["qos"] == mqtt.QoS.AT_LEAST_ONCE
        published, _ = device.connection.publish(topic, b"hello", mqtt.QoS.AT_LEAST_ONCE)
        published.result(30)
        assert device.messages.get(timeout=15)[1] == b"hello"


@pytest.mark.parametrize("who", ["admin", "temporary"])
def test_mqtt_5_on_a_signed_web_socket(server, boto, sigv4, client_id, who):
    credentials = server.admin if who == "admin" else TEMPORARY
    build = mqtt5_client_builder.websockets_with_default_aws_signing
    with Sdk5(build, **sigv4(credentials)) as device:
        boto.send(client_id, TOPIC, confirmation=True, timeout=10, payload=b"hello")
        assert device.messages.get(timeout=15).payload == b"hello"


@pytest.mark.parametrize("who", ["admin", "temporary"])
def test_mqtt_3_on_a_signed_web_socket(server, boto, sigv4, client_id, who):
    credentials = server.admin if who == "admin" else TEMPORARY
    build = mqtt_connection_builder.websockets_with_default_aws_signing
    with Sdk3(build, **sigv4(credentials)) as device:
        boto.send(client_id, TOPIC, confirmation=True, timeout=10, payload=b"hello")
        assert device.messages.get(timeout=15)[1] == b"hello"
