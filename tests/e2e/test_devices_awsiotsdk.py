"""Devices that are unmodified clients of the AWS IoT Device SDK."""

import pytest
from awscrt import auth, mqtt5
from awsiot import mqtt5_client_builder, mqtt_connection_builder

from harness.population import TEMPORARY
from harness.sdk_device import Sdk3, Sdk5
from harness.signing import Credentials

TOPIC = "e2e/lamp"


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
        message = device.message()
        assert (message.topic, message.payload, message.qos) == (
            TOPIC, b"hello", mqtt5.QoS.AT_LEAST_ONCE)
        assert message.content_type == "text/plain"
        assert [(p.name, p.value) for p in message.user_properties] == [("a", "b")]


def test_mqtt_3_with_a_certificate(boto, x509, client_id):
    with Sdk3(mqtt_connection_builder.mtls_from_path, **x509) as device:
        boto.send(client_id, TOPIC, confirmation=True, timeout=10, payload=b"hello")
        message = device.message()
        assert (message.topic, message.payload, message.qos) == (
            TOPIC, b"hello", mqtt5.QoS.AT_LEAST_ONCE)


@pytest.mark.parametrize(
    ("device_class", "build"),
    [(Sdk3, mqtt_connection_builder.mtls_from_path), (Sdk5, mqtt5_client_builder.mtls_from_path)],
)
def test_a_device_publishes_to_its_own_subscription(x509, client_id, device_class, build):
    topic = f"e2e/{client_id}"
    with device_class(build, **x509) as device:
        assert device.subscribe(topic) == 1
        assert device.publish(topic, b"hello") in (0, 0x10)
        assert device.message().payload == b"hello"


@pytest.mark.parametrize("who", ["admin", "temporary"])
def test_mqtt_5_on_a_signed_web_socket(server, boto, sigv4, client_id, who):
    credentials = server.admin if who == "admin" else TEMPORARY
    build = mqtt5_client_builder.websockets_with_default_aws_signing
    with Sdk5(build, **sigv4(credentials)) as device:
        boto.send(client_id, TOPIC, confirmation=True, timeout=10, payload=b"hello")
        assert device.message().payload == b"hello"


@pytest.mark.parametrize("who", ["admin", "temporary"])
def test_mqtt_3_on_a_signed_web_socket(server, boto, sigv4, client_id, who):
    credentials = server.admin if who == "admin" else TEMPORARY
    build = mqtt_connection_builder.websockets_with_default_aws_signing
    with Sdk3(build, **sigv4(credentials)) as device:
        boto.send(client_id, TOPIC, confirmation=True, timeout=10, payload=b"hello")
        assert device.message().payload == b"hello"
