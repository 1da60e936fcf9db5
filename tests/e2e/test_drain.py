"""SIGTERM: devices are told, sends settle, the process ends in time with status 0."""

import concurrent.futures
import time

import pytest

from harness.answer import check_shape
from harness.patience import wait_until
from harness.senders import BotoSender, RawSender
from harness.server import Server
from harness.wire_device import WireDevice, open_socket

TOPIC = "e2e/lamp"
COUNT = iter(range(100))


@pytest.fixture
def ending(start):
    """A server of the test's own, to be ended by it."""
    server = start(f"ending-{next(COUNT)}")
    yield server
    if server.process.poll() is None:
        server.process.kill()
        server.process.wait(10)


def test_devices_are_told(ending, people):
    new = WireDevice.connected(ending, "new", people.fleet)
    old = WireDevice.connected(ending, "old", people.fleet, version=3)
    ending.terminate()
    codes = [(packet.kind, packet.reason()) for packet in new.end(seconds=25)]
    assert codes == [("DISCONNECT", 0x8B)]
    assert old.end(seconds=25) == []
    assert ending.process.wait(30) == 0
    entry = ending.log.wait_for(eventType="Disconnect", clientId="new")
    assert entry["disconnectReason"] == "SERVER_INITIATED_DISCONNECT"


def test_sends_in_flight_settle(ending, people):
    """The acknowledged one gets its 200, the other one an answer: nobody is left hanging."""
    device = WireDevice.connected(ending, "lamp", people.fleet)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first, second = (BotoSender(ending, ending.admin) for _ in range(2))
        acknowledged = pool.submit(first.send, "lamp", TOPIC, confirmation=True, timeout=10,
                                   payload=b"1")
        message = device.message()
        waiting = pool.submit(second.refused, "GatewayTimeoutException", "lamp", TOPIC,
                              confirmation=True, timeout=2, payload=b"2")
        device.message()
        ending.terminate()
        device.acknowledge(message)
        check_shape(acknowledged.result(timeout=30), 200)
        answer = waiting.result(timeout=30)
        assert answer.reason in ("DELIVERY_CONFIRMATION_TIMEOUT", "RECEIVER_DISCONNECTED")
    assert ending.process.wait(40) == 0
    for trace_id in (acknowledged.result().trace_id, answer.trace_id):
        ending.log.the_send(trace_id)


def test_new_connections_are_not_taken_any_more(ending, people):
    device = WireDevice.connected(ending, "lamp", people.fleet)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        boto = BotoSender(ending, ending.admin)
        pool.submit(boto.refused, "GatewayTimeoutException", "lamp", TOPIC, confirmation=True,
                    timeout=4)
        device.message()
        ending.terminate()

        def is_refused():
            try:
                open_socket(ending, "mqtts", people.fleet).close()
            except OSError:
                return True
            return False

        wait_until(is_refused, "the listeners to close", seconds=20, pause=0.1)
    assert ending.process.wait(40) == 0


def test_a_second_signal_ends_the_process_at_once(ending, people):
    """Although a sender still waits for a device that does not answer."""
    device = WireDevice.connected(ending, "lamp", people.fleet)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        sender = RawSender(ending, ending.admin)
        pool.submit(sender.send, "lamp", TOPIC,
                    confirmation="true", timeout="15")
        device.message()
        ending.terminate()
        wait_until(lambda: "once more to stop at once" in ending.printed(), "the drain")
        assert ending.process.poll() is None
        ending.terminate()
        assert ending.process.wait(30) == 1


def test_an_idle_server_ends_at_once(ending):
    start = time.monotonic()
    ending.terminate()
    assert ending.process.wait(30) == 0
    assert time.monotonic() - start < 10


def test_the_data_folder_serves_again(ending, people):
    """Certificates and keys survive a restart; nothing is made anew."""
    before = ending.ready
    assert ending.stop() == 0
    again = Server(ending.folder)
    try:
        for name in ("sender", "admin", "device", "ca"):
            assert again.ready[name] == before[name]
        WireDevice.connected(again, "lamp", people.fleet).disconnect()
    finally:
        assert again.stop() == 0
