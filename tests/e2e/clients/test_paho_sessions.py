"""paho-mqtt: sessions that outlive a connection, and what waits in them."""

import time

import pytest
from paho.mqtt.packettypes import PacketTypes

from harness.paho_device import PahoDevice, properties

# Nothing published at QoS 0 has to be kept for who is away.
KEPT_QOS = [1, 2]


@pytest.fixture
def lasting(paho, version):
    """Connects the test's device with a session that lasts."""

    def connect(**options):
        return paho(version=version, clean=False, session_expiry=600, **options)

    return connect


def test_a_session_is_present_when_it_was_kept(lasting, paho, version):
    first = lasting()
    assert not first.session_present
    first.close()
    assert lasting().session_present
    paho(version=version).close()
    assert not lasting().session_present, "a clean start ends the session"


@pytest.mark.parametrize("qos", KEPT_QOS)
@pytest.mark.parametrize("leave", ["close", "drop"])
def test_messages_wait_for_who_is_away_and_keep_their_order(
    lasting, paho, client_id, version, qos, leave
):
    device = lasting()
    device.subscribe(f"{client_id}/#", qos)
    getattr(device, leave)()
    publisher = paho("-pub", version=version)
    payloads = [b"%d" % n for n in range(50)]
    publisher.publish_all(f"{client_id}/a", payloads, qos)
    back = lasting()
    assert back.session_present
    assert back.payloads(50) == payloads
    publisher.publish(f"{client_id}/b", b"live", qos)
    assert back.message().payload == b"live", "a subscription outlives its connection"
    assert back.no_message()


@pytest.mark.parametrize("subscribed", KEPT_QOS)
def test_what_waits_keeps_the_lower_qos(lasting, paho, client_id, subscribed):
    device = lasting()
    device.subscribe(client_id, subscribed)
    device.close()
    publisher = paho("-pub")
    for qos in KEPT_QOS:
        publisher.publish(client_id, b"x", qos)
    back = lasting()
    assert [back.message().qos for _ in KEPT_QOS] == [min(subscribed, qos) for qos in KEPT_QOS]


def test_what_was_not_acknowledged_comes_again(lasting, paho, client_id):
    device = lasting(manual_ack=True)
    device.subscribe(client_id, 1)
    publisher = paho("-pub")
    publisher.publish_all(client_id, [b"1", b"2", b"3"])
    first, second, third = (device.message() for _ in range(3))
    assert not any(m.dup for m in (first, second, third))
    device.acknowledge(first)
    # The SUBACK comes after the PUBACK was handled: packets are handled in their order.
    device.subscribe(f"{client_id}/other", 1)
    device.drop()
    again = lasting()
    returned = [again.message() for _ in range(2)]
    assert [(m.payload, m.dup, m.mid) for m in returned] == [
        (b"2", True, second.mid), (b"3", True, third.mid)]
    publisher.publish(client_id, b"4")
    assert again.message().payload == b"4"


def test_a_clean_start_drops_what_waits(lasting, paho, client_id, version):
    device = lasting()
    device.subscribe(client_id)
    device.close()
    publisher = paho("-pub", version=version)
    publisher.publish(client_id, b"old")
    fresh = paho(version=version)
    assert not fresh.session_present
    publisher.publish(client_id, b"unheard")
    fresh.subscribe(client_id)
    publisher.publish(client_id, b"new")
    assert fresh.message().payload == b"new"


def test_an_unsubscribed_filter_stays_away_from_the_session(lasting, paho, client_id, version):
    device = lasting()
    for name in "ab":
        device.subscribe(f"{client_id}/{name}")
    device.unsubscribe(f"{client_id}/a")
    device.close()
    publisher = paho("-pub", version=version)
    publisher.publish(f"{client_id}/a", b"unheard")
    publisher.publish(f"{client_id}/b", b"heard")
    assert lasting().message().payload == b"heard"


def test_a_session_expires(paho, client_id):
    device = paho(clean=False, session_expiry=1)
    device.subscribe(client_id)
    device.close()
    time.sleep(3)
    assert not paho(clean=False, session_expiry=600).session_present


@pytest.mark.parametrize("expiry", [None, 0])
def test_a_session_without_expiry_ends_with_its_connection(paho, expiry):
    paho(clean=False, session_expiry=expiry).close()
    assert not paho(clean=False, session_expiry=600).session_present


@pytest.mark.parametrize(("connect", "disconnect", "kept"), [(600, 0, False), (1, 600, True)])
def test_a_disconnect_changes_the_expiry(paho, connect, disconnect, kept):
    device = paho(clean=False, session_expiry=connect)
    device.client.disconnect(
        properties=properties(PacketTypes.DISCONNECT, {"SessionExpiryInterval": disconnect}))
    assert not device.disconnects.get(timeout=15).is_failure
    time.sleep(3 if kept else 0)
    assert paho(clean=False, session_expiry=600).session_present == kept


def test_the_newer_connection_takes_the_session_over(lasting, paho, client_id, version):
    older = lasting()
    older.subscribe(client_id)
    newer = lasting()
    assert newer.session_present
    goodbye = older.disconnects.get(timeout=15)
    if version == 5:
        assert goodbye.value == 0x8E
    paho("-pub", version=version).publish(client_id, b"for the newer")
    assert newer.message().payload == b"for the newer"
    assert older.no_message()


def test_a_message_expires_while_it_waits(lasting, paho, client_id):
    device = lasting()
    device.subscribe(client_id)
    device.close()
    publisher = paho("-pub")
    publisher.publish(client_id, b"short", MessageExpiryInterval=1)
    publisher.publish(client_id, b"long", MessageExpiryInterval=100)
    publisher.publish(client_id, b"forever")
    time.sleep(2.5)
    back = lasting()
    long, forever = back.message(), back.message()
    assert (long.payload, forever.payload) == (b"long", b"forever")
    if back.version == 5:
        # What is left of it, not what it was [MQTT-3.3.2-6].
        assert 1 <= long.properties.MessageExpiryInterval <= 98
        assert not hasattr(forever.properties, "MessageExpiryInterval")


def test_the_server_names_who_has_no_name(broker):
    names = set()
    for _ in range(2):
        with PahoDevice("", 5).connected(broker, listener="mqtt") as device:
            names.add(device.connack_properties.AssignedClientIdentifier)
    assert len(names) == 2 and all(names)


def test_who_has_no_name_may_be_of_the_older_version(broker):
    with PahoDevice("", 3).connected(broker, listener="mqtt") as device:
        device.subscribe("anything")


def test_who_has_a_name_is_not_given_another(paho):
    assert not hasattr(paho().connack_properties, "AssignedClientIdentifier")


def test_who_is_silent_for_too_long_is_gone(paho, broker, client_id, version):
    """No packet within one and a half times the keep-alive [MQTT-3.1.2-22]."""
    witness = paho("-witness", version=version)
    witness.subscribe(client_id)
    silent = PahoDevice(f"{client_id}-silent", version).will(client_id, b"gone")
    silent.connected(broker, listener="mqtt", keep_alive=1)
    if version == 5:
        granted = getattr(silent.connack_properties, "ServerKeepAlive", 1)
        assert granted == 1
    # Nobody sends the client's pings any more.
    silent.client.loop_stop()
    assert witness.message().payload == b"gone"
    silent.close()
