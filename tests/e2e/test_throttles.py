"""429: the account's rate, the receiver's rate, the receiver's window."""

import concurrent.futures
import contextlib
import time

import pytest

from harness import packets, signing
from harness.answer import check
from harness.patience import wait_until
from harness.senders import BotoSender, RawSender
from harness.wire_device import WireDevice

TOPIC = "e2e/lamp"


def blast(server, client_id, count, senders=4, **query):
    """Sends quickly over several kept connections; returns all answers."""

    def one(_):
        answers = []
        with RawSender(server, server.admin, listener="http") as sender:
            path = signing.message_url("", client_id, topic=TOPIC, **query)
            headers = signing.sign(server.admin, "POST", sender.base + path)
            for _ in range(count // senders):
                answers.append(sender.exchange("POST", path, b"", headers))
        return answers

    with concurrent.futures.ThreadPoolExecutor(senders) as pool:
        return [answer for answers in pool.map(one, range(senders)) for answer in answers]


@pytest.fixture(scope="module")
def tight_server(start):
    """A server whose account may send five direct messages a second."""
    server = start("tight", settings="[quotas]\nsend_direct_message = 5\n")
    yield server
    assert server.stop() == 0


def test_the_accounts_rate(tight_server, people):
    server = tight_server
    boto = BotoSender(server, server.admin)
    with WireDevice.connected(server, "lamp", people.fleet):
        deadline = time.monotonic() + 60
        answers, refused = [], None
        while not (refused and {answer.status for answer in answers} == {200, 429}):
            assert time.monotonic() < deadline
            answers += blast(server, "lamp", 40)
            # There is room again a moment later, on a slow machine before this comes.
            with contextlib.suppress(pytest.fail.Exception):
                refused = boto.refused("ThrottlingException", "lamp", TOPIC)
        throttled = next(answer for answer in answers if answer.status == 429)
        check(throttled, server.log, 429, "SEND_DIRECT_MESSAGE_THROTTLED")
        check(refused, server.log, 429, "SEND_DIRECT_MESSAGE_THROTTLED")


def test_the_accounts_rate_is_checked_after_permission(tight_server):
    server = tight_server
    blast(server, "nobody", 40)
    boto = BotoSender(server, server.sender)
    answer = boto.refused("ForbiddenException", "nobody", TOPIC)
    check(answer, server.log, 403, "SENDER_AUTHORIZATION_FAILURE")


def test_the_accounts_rate_recovers(tight_server, people):
    server = tight_server
    boto = BotoSender(server, server.admin, retries={"mode": "standard", "max_attempts": 8})
    with WireDevice.connected(server, "recovering", people.fleet):
        blast(server, "recovering", 40)
        boto.send("recovering", TOPIC)


def test_the_receivers_rate(server, wire, client_id, log):
    wire()
    for _ in range(5):
        answers = blast(server, client_id, 240)
        throttled = [answer for answer in answers if answer.status == 429]
        if throttled:
            break
    assert {answer.status for answer in answers} == {200, 429}
    check(throttled[0], log, 429, "RECEIVE_SESSION_THROTTLED", clientId=client_id)


def test_the_receivers_rate_touches_nobody_else(server, boto, wire, client_id, log):
    wire()
    wire(f"{client_id}-calm")
    blast(server, client_id, 240)
    check(boto.send(f"{client_id}-calm", TOPIC), log, 200)


def test_the_window_of_the_receive_maximum(server, wire, client_id, log, boto):
    device = wire(receive_maximum=2)
    for _ in range(2):
        boto.refused("GatewayTimeoutException", client_id, TOPIC, confirmation=True, timeout=1)
    answer = boto.refused("ThrottlingException", client_id, TOPIC, confirmation=True, timeout=1)
    check(answer, log, 429, "RECEIVER_MAX_UNACKED_QOS1_EXCEEDED")
    # QoS 0 needs no place in the window.
    check(boto.send(client_id, TOPIC), log, 200)
    # A late PUBACK gives a place back.
    first, _, _ = device.message(), device.message(), device.message()
    device.acknowledge(first)
    # The answer to a ping comes after the PUBACK was dealt with.
    assert device.is_silent()
    answer = boto.refused("GatewayTimeoutException", client_id, TOPIC, confirmation=True,
                          timeout=1)
    check(answer, log, 504, "DELIVERY_CONFIRMATION_TIMEOUT")


@pytest.mark.parametrize("version", [3, 5])
def test_the_window_of_one_hundred(server, wire, client_id, log, boto, version):
    wire(version=version)
    for _ in range(2):
        answers = blast(server, client_id, 50, senders=50, confirmation="true", timeout=1)
        assert {answer.status for answer in answers} == {504}, {str(a) for a in answers}
    answer = boto.refused("ThrottlingException", client_id, TOPIC, confirmation=True, timeout=1)
    check(answer, log, 429, "RECEIVER_MAX_UNACKED_QOS1_EXCEEDED")


def test_the_packet_id_of_a_throttled_qos_2_message_is_free_again(start, client_id):
    """[MQTT-4.3.3-9]."""
    server = start("slow-publishers", "--profile", "standard", "--open",
                   settings="[quotas]\npublishes_per_connection = 1\n")
    with WireDevice.connected(server, client_id, listener="mqtt") as device:

        def is_taken():
            device.send(packets.publish(TOPIC, b"x", 2, packet_id=5))
            if device.expect("PUBREC").reason() >= 0x80:
                return False
            device.send(packets.pubrel(5))
            assert device.expect("PUBCOMP").reason() == 0
            return True

        wait_until(lambda: not is_taken(), "a PUBREC that refuses")
        wait_until(is_taken, "the same packet ID to be taken for a new message")
    assert server.stop() == 0
