"""Idempotency keys and receipts over the end of the process, however it ends."""

import concurrent.futures
import signal
import socket

import pytest

from harness.patience import wait_until
from harness.senders import BotoSender, RawSender
from harness.server import Server
from harness.wire_device import WireDevice

TOPIC = "e2e/lamp"
KEY = "x-tenfour-idempotency-key"
ENDS = [signal.SIGTERM, signal.SIGKILL]


def free_port():
    """A port that nobody has at present."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Process:
    """A server that ends and comes back on the same data folder."""

    def __init__(self, start, name, durability, *flags):
        self.flags = ("--open", "--unlimited", *flags)
        settings = f'[store]\nfolder = "store"\ndurability = "{durability}"'
        self.server = start(name, *self.flags, settings=settings)

    def end(self, how):
        """Ends it."""
        self.server.process.send_signal(how)
        self.server.process.wait(30)

    def begin(self):
        """Starts it again."""
        self.server = Server(self.server.folder, *self.flags)

    def device(self, client_id):
        """A device."""
        return WireDevice.connected(self.server, client_id, listener="mqtt")

    def sender(self):
        """A sender."""
        return RawSender(self.server, listener="http")

    def kept(self, *words):
        """Waits until the outcomes that are kept have these words, each so often at least."""
        folder = self.server.folder / "store" / "outcomes"

        def are_there():
            found = b"".join(file.read_bytes() for file in sorted(folder.glob("*.trail")))
            return all(found.count(word) >= times for word, times in words)

        wait_until(are_there, f"{words} in {folder}")


@pytest.fixture(params=["always", "batched"])
def process(request, start, client_id):
    """A server with a store."""
    process = Process(start, f"restart-{request.param}-{client_id}", request.param)
    yield process
    assert process.server.stop() == 0
    assert "panicked" not in process.server.printed()


@pytest.fixture
def background():
    """Runs sends while the test plays the device."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        yield pool


def sent(key):
    """That a message with this key was sent."""
    return (key.encode(), 1)


def ended(trace_id):
    """That a message ended: its trace ID is there a second time."""
    return (bytes.fromhex(trace_id.replace("-", "")), 2)


def receipt(sender, trace_id):
    """The receipt of a message."""
    answer = sender.request("GET", f"/receipts/{trace_id}")
    assert answer.status == 200, answer
    return answer.json


@pytest.mark.parametrize("how", ENDS, ids=lambda how: how.name)
def test_what_was_acknowledged_is_not_sent_again(process, client_id, background, how):
    sender, headers = process.sender(), {KEY: client_id}
    with process.device(client_id) as device:
        sending = background.submit(sender.send, client_id, TOPIC, confirmation="true", timeout=15,
                                    headers=headers)
        device.acknowledge(device.message())
        first = sending.result(20)
    assert first.status == 200
    told = receipt(sender, first.trace_id)
    process.kept(ended(first.trace_id))
    process.end(how)
    process.begin()
    sender = process.sender()
    with process.device(client_id) as device:
        again = sender.send(client_id, TOPIC, confirmation="true", timeout=1, headers=headers)
        assert again.status == 200
        other = sender.send(client_id, "e2e/other", confirmation="true", headers=headers)
        assert (other.status, other.json["reason"]) == (409, "IDEMPOTENCY_KEY_CONFLICT")
        assert device.is_silent()
    assert receipt(sender, first.trace_id) == told


@pytest.mark.parametrize("how", ENDS, ids=lambda how: how.name)
def test_what_was_sent_and_not_acknowledged_is_not_sent_again(process, client_id, how):
    sender, headers = process.sender(), {KEY: client_id}
    with process.device(client_id) as device:
        first = sender.send(client_id, TOPIC, confirmation="true", timeout=1, headers=headers)
        assert first.json["delivery"] == "sent-unacknowledged"
        device.message()
        process.kept(sent(client_id))
        process.end(how)
    process.begin()
    sender = process.sender()
    with process.device(client_id) as device:
        again = sender.send(client_id, TOPIC, confirmation="true", timeout=1, headers=headers)
        assert (again.status, again.json["reason"]) == (504, "RECEIVER_DISCONNECTED")
        assert again.json["delivery"] == "sent-unacknowledged"
        assert device.is_silent()
    assert receipt(sender, first.trace_id)["status"] == "connection-closed"


def test_a_late_puback_is_known_to_the_next_process(process, client_id):
    sender, headers = process.sender(), {KEY: client_id}
    with process.device(client_id) as device:
        first = sender.send(client_id, TOPIC, confirmation="true", timeout=1, headers=headers)
        device.acknowledge(device.message())
        process.kept(ended(first.trace_id))
    process.end(signal.SIGKILL)
    process.begin()
    sender = process.sender()
    found = receipt(sender, first.trace_id)
    assert found["status"] == "acknowledged-late"
    assert found["takenInAt"] <= found["handedOverAt"] <= found["acknowledgedAt"]
    again = sender.send(client_id, TOPIC, confirmation="true", timeout=1, headers=headers)
    assert again.status == 200


def test_what_was_never_sent_is_tried_anew(process, client_id, background):
    headers = {KEY: client_id}
    first = process.sender().send(client_id, TOPIC, confirmation="true", headers=headers)
    assert first.json["delivery"] == "never-sent"
    process.end(signal.SIGTERM)
    process.begin()
    with process.device(client_id) as device:
        sending = background.submit(process.sender().send, client_id, TOPIC, confirmation="true",
                                    timeout=15, headers=headers)
        device.acknowledge(device.message())
        assert sending.result(20).status == 200


def test_a_file_that_was_cut_off_costs_only_its_end(process, client_id, background):
    sender, headers = process.sender(), {KEY: client_id}
    with process.device(client_id) as device:
        sending = background.submit(sender.send, client_id, TOPIC, confirmation="true", timeout=15,
                                    headers=headers)
        device.acknowledge(device.message())
        first = sending.result(20)
        process.kept(ended(first.trace_id))
    process.end(signal.SIGKILL)
    newest = max((process.server.folder / "store" / "outcomes").glob("*.trail"))
    newest.write_bytes(newest.read_bytes() + b"\x40\x00\x00\x00\x01\x02")
    process.begin()
    again = process.sender().send(client_id, TOPIC, confirmation="true", headers=headers)
    assert again.status == 200


def test_damage_before_the_newest_file_is_said(process, client_id):
    folder = process.server.folder / "store" / "outcomes"
    for number in range(2):
        key = f"{client_id}-{number}"
        with process.device(client_id):
            process.sender().send(client_id, TOPIC, confirmation="true", timeout=1,
                                  headers={KEY: key})
            process.kept(sent(key))
        process.end(signal.SIGKILL)
        if number == 0:
            process.begin()
    oldest = min(folder.glob("*.trail"))
    whole = oldest.read_bytes()
    oldest.write_bytes(whole[:20] + bytes([whole[20] ^ 1]) + whole[21:])
    with pytest.raises(AssertionError, match=f"{oldest} is damaged; remove it to start"):
        process.begin()
    oldest.unlink()
    process.begin()


def test_in_memory_alone_a_restart_forgets(start, client_id, background):
    process = Process(start, f"restart-memory-{client_id}", "memory")
    headers = {KEY: client_id}
    for _ in range(2):
        with process.device(client_id) as device:
            sending = background.submit(process.sender().send, client_id, TOPIC,
                                        confirmation="true", timeout=15, headers=headers)
            device.acknowledge(device.message())
            assert sending.result(20).status == 200
        process.end(signal.SIGTERM)
        process.begin()
    assert process.server.stop() == 0


def test_boto3_s_own_retry_after_kill_9_delivers_nothing_twice(start, client_id, background):
    """The server dies while boto3 waits, and is back before boto3 tries again."""
    listen = ("--listen", f"http=127.0.0.1:{free_port()}")
    process = Process(start, f"restart-boto3-{client_id}", "batched", *listen)
    retries = {"mode": "standard", "total_max_attempts": 5}
    boto = BotoSender(process.server, process.server.admin, url=process.server.url("http"),
                      retries=retries)
    with process.device(client_id) as device:
        call = background.submit(boto.call, "send_direct_message", clientId=client_id, topic=TOPIC,
                                 confirmation=True, timeout=15)
        device.message()
        process.kept((client_id.encode(), 1))
        process.end(signal.SIGKILL)
    process.begin()
    with process.device(client_id) as device:
        with pytest.raises(boto.client.exceptions.GatewayTimeoutException):
            call.result(120)
        assert boto.answer.json["reason"] == "RECEIVER_DISCONNECTED"
        assert device.is_silent()
    assert process.server.stop() == 0
