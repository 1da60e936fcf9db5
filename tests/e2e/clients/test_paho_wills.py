"""paho-mqtt: Wills."""

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from harness.paho_device import PahoDevice


@pytest.fixture
def mortal(broker, client_id):
    """Connects devices with a Will; `options` are those of `PahoDevice`."""
    devices = []

    def connect(version, payload=b"gone", qos=0, retain=False, will=(), **options):
        device = PahoDevice(f"{client_id}-mortal", version, **options)
        device.will(f"{client_id}/will", payload, qos, retain, **dict(will))
        devices.append(device)
        return device.connected(broker, listener="mqtt")

    yield connect
    for device in devices:
        device.close()


@pytest.fixture
def witness(paho, client_id):
    """Hears the Wills of the test."""
    device = paho("-witness")
    device.subscribe(f"{client_id}/will", 2)
    return device


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_connection_that_breaks_has_a_will(mortal, witness, version, qos):
    mortal(version, qos=qos).drop()
    message = witness.message()
    assert (message.payload, message.qos, message.retain) == (b"gone", qos, False)


def test_a_disconnect_discards_the_will(mortal, witness, paho, client_id, version):
    mortal(version).close()
    assert not mortal(version).session_present
    # A message after the second connection began: nothing was published for the first.
    paho("-pub").publish(f"{client_id}/will", b"nothing came")
    assert witness.message().payload == b"nothing came"


def test_a_disconnect_can_ask_for_the_will(mortal, witness):
    device = mortal(5)
    device.client.disconnect(
        ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
    assert witness.message().payload == b"gone"


def test_a_takeover_publishes_the_will_of_the_older(mortal, witness, version):
    mortal(version, payload=b"older")
    mortal(version, payload=b"newer")
    assert witness.message().payload == b"older"


def test_a_will_can_be_retained(mortal, paho, client_id, version):
    mortal(version, retain=True, payload=b"kept").drop()
    late = paho("-late")
    late.subscribe(f"{client_id}/will")
    message = late.message()
    assert message.payload == b"kept"
    late.publish(f"{client_id}/will", b"", retain=True)


def test_a_will_has_properties(mortal, witness):
    expected = {"ContentType": "text/plain", "UserProperty": [("b", "1"), ("a", "2")],
                "CorrelationData": b"\x00\xff", "ResponseTopic": "an/answer",
                "PayloadFormatIndicator": 1}
    mortal(5, will={**expected, "MessageExpiryInterval": 100}).drop()
    received = witness.message().properties
    for name, value in expected.items():
        assert getattr(received, name) == value, name
    assert 90 <= received.MessageExpiryInterval <= 100


def test_a_delayed_will_comes_late(mortal, witness, paho, client_id):
    mortal(5, session_expiry=600, will={"WillDelayInterval": 2}).drop()
    paho("-pub").publish(f"{client_id}/will", b"before it")
    assert witness.payloads(2) == [b"before it", b"gone"]


def test_the_end_of_the_session_is_the_end_of_the_delay(mortal, witness):
    """[MQTT-3.1.2-8]: whichever happens first."""
    mortal(5, session_expiry=0, will={"WillDelayInterval": 600}).drop()
    assert witness.message().payload == b"gone"


def test_a_session_that_expires_does_not_wait_for_the_delay(mortal, witness):
    mortal(5, session_expiry=1, will={"WillDelayInterval": 600}).drop()
    assert witness.message().payload == b"gone"


def test_who_comes_back_in_time_takes_a_delayed_will_back(mortal, witness):
    delayed = {"WillDelayInterval": 2}
    mortal(5, payload=b"first", session_expiry=600, will=delayed).drop()
    back = mortal(5, payload=b"second", clean=False, session_expiry=600, will=delayed)
    assert back.session_present
    back.drop()
    assert witness.message().payload == b"second"
