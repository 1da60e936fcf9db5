"""Devices that are unmodified paho-mqtt clients, on every listener."""

import datetime
import ssl

import pytest

from harness import signing
from harness.paho_device import PahoDevice
from harness.population import TEMPORARY

TOPIC = "e2e/lamp"


def hears(boto, device, client_id):
    """Whether a confirmed send reaches the device."""
    boto.send(client_id, TOPIC, confirmation=True, timeout=10, payload=b"hello")
    return device.message().payload == b"hello"


@pytest.mark.parametrize("version", [3, 5])
@pytest.mark.parametrize(
    ("listener", "alpn"), [("mqtts", ()), ("https", ("x-amzn-mqtt-ca",))]
)
def test_mutual_tls(boto, paho, client_id, log, people, version, listener, alpn):
    device = paho(version=version, listener=listener, alpn=alpn)
    entry = log.wait_for(eventType="Connect", clientId=client_id)
    assert (entry["status"], entry["protocol"]) == ("Success", "MQTT")
    assert entry["principalId"] == people.fleet.certificate_id
    assert hears(boto, device, client_id)


@pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_tls_versions(server, boto, people, client_id, tls):
    device = PahoDevice(client_id)
    context = ssl.create_default_context(cafile=server.ca)
    context.load_cert_chain(people.fleet.cert, people.fleet.key)
    context.minimum_version = context.maximum_version = tls
    device.client.tls_set_context(context)
    device.client.connect("localhost", server.port("mqtts"))
    device.client.loop_start()
    assert not device.connacks.get(timeout=20)[1].is_failure
    assert hears(boto, device, client_id)
    device.client.disconnect()
    device.client.loop_stop()


def test_a_certificate_of_x509_version_1(boto, paho, client_id, people, server):
    """What `openssl x509 -req` has made for years; the client must load it, so TLS 1.2 or 1.3."""
    device = paho(certificate=people.version_1)
    assert hears(boto, device, client_id)


@pytest.mark.parametrize("version", [3, 5])
def test_the_plain_listener_has_a_configured_principal(server, version, boto):
    with PahoDevice("myDevice", version) as device:
        device.connected(server, listener="mqtt")
        boto.send("myDevice", "commands/reboot", confirmation=True, timeout=10, payload=b"hello")
        assert device.message().payload == b"hello"


@pytest.mark.parametrize("version", [3, 5])
def test_the_open_listener_needs_no_principal(open_server, client_id, version):
    with PahoDevice(client_id, version) as device:
        device.connected(open_server, listener="mqtt")
        assert device.subscribe("anything/#") == [1]
        assert device.publish("anything/here", b"to myself") == 0
        assert device.message().payload == b"to myself"


def web_socket(server, client_id, credentials, version=5, listener="https", **presign):
    """A paho client on a presigned WebSocket path."""
    device = PahoDevice(client_id, version, transport="websockets")
    host = f"localhost:{server.port(listener)}"
    device.client.ws_set_options(path=signing.websocket_path(credentials, host, **presign))
    return device


@pytest.mark.parametrize("version", [3, 5])
@pytest.mark.parametrize("listener", ["https", "wss"])
def test_web_socket_with_a_presigned_path(server, boto, client_id, log, version, listener):
    with web_socket(server, client_id, server.admin, version, listener) as device:
        device.connected(server, listener=listener)
        assert hears(boto, device, client_id)
        entry = log.wait_for(eventType="Connect", clientId=client_id)
        assert entry["status"] == "Success"


@pytest.mark.parametrize("token_signed", [False, True])
def test_web_socket_with_a_session_token(server, boto, client_id, token_signed):
    with web_socket(server, client_id, TEMPORARY, token_signed=token_signed) as device:
        device.connected(server, listener="https")
        assert hears(boto, device, client_id)


def test_web_socket_with_signed_headers(server, boto, client_id):
    device = PahoDevice(client_id, transport="websockets")
    url = server.url("https", "/mqtt")
    headers = signing.sign(server.admin, "GET", url, service="iotdevicegateway")
    del headers["Host"]
    device.client.ws_set_options(path="/mqtt", headers=headers)
    with device:
        device.connected(server, listener="https")
        assert hears(boto, device, client_id)


def test_a_web_socket_with_a_wrong_signature_is_refused(server, client_id, log):
    wrong = signing.Credentials(server.admin.access_key, "another secret")
    mark = log.mark()
    with web_socket(server, client_id, wrong) as device:
        with pytest.raises(Exception, match="(?i)websocket"):
            device.connect(server, listener="https")
    reason = "SECURITY_TOKEN_SIGNATURE_MISMATCH"
    entry = log.wait_since(mark, eventType="Connection.AuthNError", reason=reason)
    assert entry["authenticationType"] == "AWS_SIGV4"


def test_an_expired_web_socket_path_is_refused(server, client_id):
    with signing.at(signing.now() - datetime.timedelta(minutes=2)):
        device = web_socket(server, client_id, server.admin, expires=60)
    with device, pytest.raises(Exception, match="(?i)websocket"):
        device.connect(server, listener="https")


def test_a_connect_without_permission_is_refused(server, people, client_id, log):
    with PahoDevice(client_id) as device:
        _, reason = device.connect(server, certificate=people.narrow)
        assert reason.value == 0x87
    entry = log.wait_for(eventType="Connect", clientId=client_id)
    assert (entry["status"], entry["reason"]) == ("Failure", "AUTHORIZATION_FAILURE")


def test_a_session_that_was_kept_is_announced(server, people, client_id, log):
    for version in (3, 5):
        name = f"{client_id}-v{version}"
        present = []
        for _ in range(2):
            with PahoDevice(name, version, clean=False, session_expiry=600) as device:
                flags, _ = device.connect(server, certificate=people.fleet)
                present.append(flags.session_present)
            log.wait_for(eventType="Disconnect", clientId=name)
        assert present == [False, True], f"version {version}"
