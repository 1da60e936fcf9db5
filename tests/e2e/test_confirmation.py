"""Confirmation: no 200 before the PUBACK, and an answer whatever the device does."""

import concurrent.futures
import time

import pytest

from harness import signing
from harness.answer import check
from harness.patience import wait_until
from harness.senders import BotoSender, RawSender

TOPIC = "e2e/lamp"


@pytest.fixture
def background():
    """Runs sends while the test plays the device."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.mark.parametrize("version", [3, 5])
def test_the_answer_comes_after_the_puback(server, boto, paho, client_id, log, background, version):
    device = paho(version=version, manual_ack=True)
    answered_at = []

    def send():
        answer = boto.send(client_id, TOPIC, confirmation=True, timeout=15, payload=b"on")
        answered_at.append(time.monotonic())
        return answer

    sending = background.submit(send)
    message = device.message()
    # The device holds its PUBACK back; nothing may answer the sender meanwhile.
    with pytest.raises(concurrent.futures.TimeoutError):
        sending.result(timeout=0.7)
    acknowledged_at = time.monotonic()
    device.acknowledge(message)
    entry = check(sending.result(timeout=20), log, 200, confirmation=True)
    assert answered_at[0] > acknowledged_at
    assert entry["ackMs"] >= 600


def test_no_puback_is_a_gateway_timeout(boto, wire, client_id, log):
    device = wire()
    start = time.monotonic()
    answer = boto.refused("GatewayTimeoutException", client_id, TOPIC, confirmation=True,
                          timeout=1)
    assert time.monotonic() - start >= 0.95
    check(answer, log, 504, "DELIVERY_CONFIRMATION_TIMEOUT", confirmation=True, timeout=1)
    assert device.message().qos == 1
    # Written once: no second copy comes, not even with the DUP flag.
    assert device.is_silent()


def test_a_late_puback_is_harmless_and_frees_nothing_else(boto, wire, client_id, log, background):
    device = wire()
    boto.refused("GatewayTimeoutException", client_id, TOPIC, confirmation=True, timeout=1)
    late = device.message()
    sending = background.submit(boto.send, client_id, TOPIC, confirmation=True, timeout=10)
    fresh = device.message()
    assert fresh.packet_id != late.packet_id
    # The late PUBACK settles nobody: the second send still waits for its own.
    device.acknowledge(late)
    with pytest.raises(concurrent.futures.TimeoutError):
        sending.result(timeout=0.3)
    device.acknowledge(fresh)
    check(sending.result(timeout=20), log, 200)
    assert device.is_silent()


def test_a_puback_for_an_unknown_packet_id_confirms_nothing(boto, wire, client_id, background):
    device = wire()
    sending = background.submit(
        boto.refused, "GatewayTimeoutException", client_id, TOPIC, confirmation=True, timeout=1
    )
    message = device.message()
    device.send(b"\x40\x02" + (message.packet_id % 65535 + 1).to_bytes(2, "big"))
    assert sending.result(timeout=20).status in (504,)


@pytest.mark.parametrize("goodbye", ["close", "disconnect"])
def test_a_receiver_that_leaves_answers_at_once(boto, wire, client_id, log, background, goodbye):
    device = wire()
    sending = background.submit(
        boto.refused, "GatewayTimeoutException", client_id, TOPIC, confirmation=True, timeout=15
    )
    device.message()
    start = time.monotonic()
    getattr(device, goodbye)()
    answer = sending.result(timeout=20)
    assert time.monotonic() - start < 8
    check(answer, log, 504, "RECEIVER_DISCONNECTED")


def test_a_takeover_answers_at_once(boto, wire, client_id, log, background):
    first = wire()
    sending = background.submit(
        boto.refused, "GatewayTimeoutException", client_id, TOPIC, confirmation=True, timeout=15
    )
    message = first.message()
    second = wire()
    check(sending.result(timeout=10), log, 504, "RECEIVER_DISCONNECTED")
    # The PUBACK on another connection epoch confirms nothing, and the message does not follow.
    second.acknowledge(message)
    assert second.is_silent()


@pytest.mark.parametrize(
    ("code", "status", "name"),
    [
        (0x87, 403, "ForbiddenException"), (0x90, 400, "InvalidRequestException"),
        (0x99, 400, "InvalidRequestException"), (0x97, 429, "ThrottlingException"),
        (0x80, 500, "InternalFailureException"), (0x83, 500, "InternalFailureException"),
    ],
)
def test_a_refusal_by_the_device_is_no_confirmation(
    boto, wire, client_id, log, background, code, status, name
):
    device = wire()
    sending = background.submit(boto.refused, name, client_id, TOPIC, confirmation=True, timeout=10)
    device.acknowledge(device.message(), reason=code)
    entry = check(sending.result(timeout=20), log, status, "RECEIVER_REJECTED")
    assert entry["mqttReasonCode"] == code


def test_no_matching_subscribers_is_a_confirmation(boto, wire, client_id, log, background):
    device = wire()
    sending = background.submit(boto.send, client_id, TOPIC, confirmation=True, timeout=10)
    device.acknowledge(device.message(), reason=0x10)
    check(sending.result(timeout=20), log, 200)


def test_a_sender_that_goes_away_is_logged(server, wire, client_id, log):
    device = wire()
    mark = log.mark()
    sender = RawSender(server, server.admin)
    path = signing.message_url("", client_id, topic=TOPIC, confirmation="true", timeout=4)
    headers = signing.sign(server.admin, "POST", sender.base + path)
    sender.connection.request("POST", path, headers=headers)
    device.message()
    sender.close()
    entry = wait_until(
        lambda: log.since(mark, eventType="SendDirectMessage", clientId=client_id),
        "the log entry of the sender that left",
    )[0]
    assert entry["reason"] == "DELIVERY_CONFIRMATION_SENDER_DISCONNECT", entry
    assert entry["status"] == "Failure"


def test_waiting_for_one_device_holds_up_nobody(server, boto, wire, client_id, log, background):
    silent = wire()
    other = wire(f"{client_id}-other")
    waiting = BotoSender(server, server.admin)
    hanging = background.submit(
        waiting.refused, "GatewayTimeoutException", client_id, TOPIC, confirmation=True, timeout=3
    )
    silent.message()
    check(boto.send(client_id, TOPIC), log, 200)
    check(boto.send(f"{client_id}-other", TOPIC), log, 200)
    assert other.message().topic == TOPIC
    assert not hanging.done()
    check(hanging.result(timeout=20), log, 504, "DELIVERY_CONFIRMATION_TIMEOUT")


def test_confirmations_may_come_in_any_order(server, wire, client_id, log, background):
    device = wire()
    senders = [BotoSender(server, server.admin) for _ in range(3)]
    sending = {
        n: background.submit(sender.send, client_id, TOPIC, confirmation=True, timeout=15,
                             payload=bytes([n]))
        for n, sender in enumerate(senders)
    }
    messages = {message.payload[0]: message for message in (device.message() for _ in senders)}
    for n in (2, 0, 1):
        assert not sending[n].done()
        device.acknowledge(messages[n])
        check(sending[n].result(timeout=20), log, 200)


def test_boto3_retries_a_timeout_by_itself(server, wire, client_id):
    """What an SDK user sees with its defaults: three attempts, which are one message."""
    device = wire()
    boto = BotoSender(server, server.admin, retries={"mode": "standard"})
    boto.refused("GatewayTimeoutException", client_id, TOPIC, confirmation=True, timeout=1)
    device.message()
    assert device.is_silent()
