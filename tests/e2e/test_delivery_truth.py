"""What an answer says of the message, idempotency keys, and receipts: what AWS leaves ambiguous."""

import concurrent.futures
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from harness.patience import wait_until
from harness.population import NARROW
from harness.senders import BotoSender, RawSender
from harness.wire_device import WireDevice

TOPIC = "e2e/lamp"
KEY = "x-tenfour-idempotency-key"


@pytest.fixture
def background():
    """Runs sends while the test plays the device."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture
def key(client_id):
    """The header with a key of this test's."""
    return {KEY: f"key-{client_id}"}


def truth(answer):
    """Status, reason, and what header and body say of the message."""
    body = answer.json
    assert answer.headers["x-tenfour-delivery"] == body["delivery"]
    return answer.status, body["reason"], body["delivery"], body.get("tcpAcknowledged")


def receipt(sender, trace_id):
    """The receipt of a message."""
    answer = sender.request("GET", f"/receipts/{trace_id}")
    assert answer.status == 200, answer
    return answer.json


def test_what_is_not_there_or_wrong_was_never_sent_or_is_refused(raw, client_id):
    gone = raw.send(client_id, TOPIC, confirmation="true")
    assert truth(gone) == (404, "TARGET_CLIENT_ID_NOT_FOUND", "never-sent", None)
    wrong = raw.send(client_id, TOPIC, confirmation="maybe")
    assert truth(wrong) == (400, "INVALID_CONFIRMATION_PARAMETER", "refused", None)


def test_a_silent_device_has_it_and_its_kernel_says_so(raw, wire, client_id):
    device = wire()
    answer = raw.send(client_id, TOPIC, confirmation="true", timeout=1)
    assert truth(answer) == (504, "DELIVERY_CONFIRMATION_TIMEOUT", "sent-unacknowledged", True)
    device.message()


def test_a_device_that_refuses(raw, wire, client_id, background):
    device = wire()
    sending = background.submit(raw.send, client_id, TOPIC, confirmation="true", timeout=15)
    device.acknowledge(device.message(), reason=0x87)
    assert truth(sending.result(20)) == (403, "RECEIVER_REJECTED", "refused", None)


STOPPED = textwrap.dedent("""
    import socket, sys, time
    sys.path.insert(0, {e2e!r})
    from harness import packets
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", {port}))
    sock.sendall(packets.connect({client_id!r}))
    sock.recv(100)
    print("connected", flush=True)
    time.sleep(600)
""")


def test_a_device_that_reads_nothing_never_gets_what_was_never_sent(start, client_id):
    """Its window is full: nothing of the message reaches the socket, and nothing ever does."""
    server = start("full-windows", "--open", "--unlimited",
                   settings="[limits]\nclose_on_missed_ack = true\n")
    raw = RawSender(server, listener="http")
    e2e = os.path.dirname(__file__)
    program = STOPPED.format(e2e=e2e, port=server.port("mqtt"), client_id=client_id)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as device:
        try:
            assert device.stdout.readline() == b"connected\n"
            device.send_signal(signal.SIGSTOP)

            def is_never_sent():
                answer = raw.send(client_id, TOPIC, body=b"-" * 100_000)
                if answer.status == 200:
                    return False
                assert truth(answer)[1:3] == ("CLIENT_ENDPOINT_NOT_WRITABLE", "never-sent")
                return True

            wait_until(is_never_sent, "a socket that takes nothing", seconds=60)
            metered = server.metrics()
            answer = raw.send(client_id, TOPIC, confirmation="true", timeout=1, body=b"x")
            assert truth(answer)[1:] == ("DELIVERY_CONFIRMATION_TIMEOUT", "never-sent", None)
            assert receipt(raw, answer.trace_id)["status"] == "expired"

            # A repetition whose time is over first is not told anything else.
            headers = {"x-tenfour-idempotency-key": client_id}
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                sending = pool.submit(raw.send, client_id, TOPIC, confirmation="true", timeout=4,
                                      body=b"x", headers=headers)
                time.sleep(1)
                again = RawSender(server, listener="http")
                answer = again.send(client_id, TOPIC, confirmation="true", timeout=1, body=b"x",
                                    headers=headers)
                assert truth(answer)[1:] == truth(sending.result(30))[1:] == (
                    "DELIVERY_CONFIRMATION_TIMEOUT", "never-sent", None)
            # What got to no device is no message.
            kind = 'tenfour_metered_units_total{kind="confirmed_direct_message"}'
            assert server.metrics()[kind] == metered[kind]
            # A PUBACK that nobody could send is not one that was missed.
            connection = raw.request("GET", f"/connections/{client_id}")
            assert connection.json["connected"] is True
        finally:
            device.send_signal(signal.SIGCONT)
            device.kill()
    assert server.stop() == 0


@pytest.mark.parametrize("value", ["", "a b", "x" * 129])
def test_an_sdks_header_that_is_no_key_means_nothing_as_with_aws(raw, value):
    headers = {"amz-sdk-invocation-id": value}
    answer = raw.send("e2e-nobody", TOPIC, confirmation="true", headers=headers)
    assert answer.status == 404
    headers = {"x-tenfour-idempotency-key": value}
    assert raw.send("e2e-nobody", TOPIC, headers=headers).status == 400


def test_a_repetition_waits_for_the_puback_of_the_first(raw, wire, client_id, log, key):
    device = wire()
    first = raw.send(client_id, TOPIC, confirmation="true", timeout=1, headers=key)
    assert truth(first)[2] == "sent-unacknowledged"
    message = device.message()
    device.acknowledge(message)
    wait_until(lambda: receipt(raw, first.trace_id)["status"] == "acknowledged-late", "the PUBACK")
    again = raw.send(client_id, TOPIC, confirmation="true", timeout=1, headers=key)
    assert again.status == 200
    assert log.the_send(again.trace_id)["repeats"] == first.trace_id
    assert device.is_silent()


def test_concurrent_requests_with_one_key_are_one_message(server, wire, client_id, background, key):
    device = wire()

    def send():
        sender = RawSender(server, server.admin)
        return sender.send(client_id, TOPIC, confirmation="true", timeout=15, headers=key)

    sending = [background.submit(send) for _ in range(5)]
    message = device.message()
    assert device.is_silent()
    device.acknowledge(message)
    assert [answer.result(20).status for answer in sending] == [200] * 5
    assert device.is_silent()


def test_what_was_never_sent_is_tried_anew(raw, wire, client_id, background, key):
    assert raw.send(client_id, TOPIC, confirmation="true", headers=key).status == 404
    device = wire()
    sending = background.submit(raw.send, client_id, TOPIC, confirmation="true", timeout=15,
                                headers=key)
    device.acknowledge(device.message())
    assert sending.result(20).status == 200


@pytest.fixture
def forgetful(start, client_id):
    """A server that knows what became of four messages only."""
    server = start(f"forgetful-{client_id}", "--open", "--unlimited",
                   settings="[limits]\nreceipts = 4\n")
    yield server
    assert server.stop() == 0
    assert "panicked" not in server.printed()


def test_calls_that_were_never_sent_cost_nobody_his_key(forgetful, client_id, background, key):
    raw = RawSender(forgetful, listener="http")
    with WireDevice.connected(forgetful, client_id, listener="mqtt") as device:
        sending = background.submit(raw.send, client_id, TOPIC, confirmation="true", timeout=15,
                                    headers=key)
        device.acknowledge(device.message())
        first = sending.result(20)
        assert first.status == 200
        refused = [raw.send("e2e-nobody", TOPIC, confirmation="true", headers={KEY: f"no-{number}"})
                   for number in range(20)]
        assert {answer.status for answer in refused} == {404}
        again = raw.send(client_id, TOPIC, confirmation="true", timeout=1, headers=key)
        assert again.status == 200, again
        assert device.is_silent()
        # What was never sent has a receipt for a while, in a place of its own.
        assert receipt(raw, refused[-1].trace_id)["status"] == "never-sent"
        assert receipt(raw, first.trace_id)["status"] == "acknowledged"


def test_the_end_of_the_connection_is_the_answer_from_then_on(raw, wire, client_id, background, key):
    device = wire()
    sending = background.submit(raw.send, client_id, TOPIC, confirmation="true", timeout=15,
                                headers=key)
    device.message()
    device.close()
    first = sending.result(20)
    assert truth(first)[1:3] == ("RECEIVER_DISCONNECTED", "sent-unacknowledged")
    with wire() as device:
        again = raw.send(client_id, TOPIC, confirmation="true", timeout=1, headers=key)
        assert truth(again)[1:3] == ("RECEIVER_DISCONNECTED", "sent-unacknowledged")
        assert device.is_silent()


def test_another_message_under_the_same_key_is_a_conflict(raw, wire, client_id, key):
    wire()
    assert raw.send(client_id, TOPIC, body=b"one", headers=key).status == 200
    answer = raw.send(client_id, TOPIC, body=b"two", headers=key)
    assert truth(answer) == (409, "IDEMPOTENCY_KEY_CONFLICT", "refused", None)
    assert answer.headers["x-amzn-errortype"] == "ConflictException:"


def test_an_unconfirmed_message_is_sent_once(raw, wire, client_id, key):
    device = wire()
    for _ in range(2):
        assert raw.send(client_id, TOPIC, body=b"one", headers=key).status == 200
    assert device.message().payload == b"one"
    assert device.is_silent()


@pytest.mark.parametrize("text", ["", "with space", "x" * 129])
def test_a_key_that_is_none_is_told(raw, client_id, text):
    answer = raw.send(client_id, TOPIC, headers={KEY: text})
    assert answer.status == 400 and KEY in answer.json["message"]


def test_keys_of_two_principals_have_nothing_to_do_with_each_other(server, people, client_id, key):
    name, topic = f"narrow-{client_id}", "e2e/allowed/x"
    with WireDevice.connected(server, name, people.narrow) as device:
        for credentials, body in ((server.admin, b"of one"), (NARROW, b"of another")):
            sender = RawSender(server, credentials)
            for _ in range(2):
                assert sender.send(name, topic, body=body, headers=key).status == 200
            assert device.message().payload == body
            assert device.is_silent()
            answer = sender.send(name, topic, body=b"else", headers=key)
            assert truth(answer)[:2] == (409, "IDEMPOTENCY_KEY_CONFLICT")


def test_boto3_with_its_default_retries_delivers_once_to_a_slow_device(
    server, wire, client_id, background
):
    """The header that it keeps over its retries makes them one message."""
    device = wire()
    boto = BotoSender(server, server.admin, retries={"mode": "standard"})
    sending = background.submit(boto.send, client_id, TOPIC, confirmation=True, timeout=2)
    message = device.message()
    # Longer than one attempt waits.
    with pytest.raises(concurrent.futures.TimeoutError):
        sending.result(timeout=3)
    device.acknowledge(message)
    assert sending.result(30).status == 200
    assert device.is_silent()


@pytest.mark.parametrize(
    ("how", "status"), [("replaced", "replaced"), ("dropped", "connection-closed")])
def test_a_receipt_says_how_it_ended(raw, wire, client_id, background, how, status):
    device = wire()
    sending = background.submit(raw.send, client_id, TOPIC, confirmation="true", timeout=15)
    device.message()
    if how == "replaced":
        wire()
    else:
        device.close()
    answer = sending.result(20)
    told = receipt(raw, answer.trace_id)
    assert told["status"] == status
    assert (told["clientId"], told["topic"]) == (client_id, TOPIC)
    assert told["takenInAt"] <= told["handedOverAt"]


def test_a_receipt_of_a_success_and_who_may_see_it(server, raw, wire, client_id, background):
    device = wire()
    sending = background.submit(raw.send, client_id, TOPIC, confirmation="true", timeout=15)
    device.acknowledge(device.message())
    answer = sending.result(20)
    told = receipt(raw, answer.trace_id)
    assert told["status"] == "acknowledged"
    assert told["handedOverAt"] <= told["acknowledgedAt"]
    other = RawSender(server, server.sender).request("GET", f"/receipts/{answer.trace_id}")
    assert (other.status, other.json["reason"]) == (404, "RECEIPT_NOT_FOUND")
    for unknown in ("00000000-0000-4000-8000-000000000000", "nonsense"):
        assert raw.request("GET", f"/receipts/{unknown}").status == 404
