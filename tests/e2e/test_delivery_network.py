"""What an answer says of a message when the network drops every packet to the device."""

import concurrent.futures
import ctypes
import os
import socket
import subprocess

import pytest

from harness import packets
from harness.patience import wait_until
from harness.programs import installed
from harness.senders import RawSender
from harness.server import Server, copy_folder
from harness.wire_device import WireDevice

TOPIC = "e2e/lamp"
DEVICE = "127.0.0.2"
CLONE_NEWNET = 0x40000000


@pytest.fixture
def apart():
    """Runs a function on a thread with a network of its own, which ends with it."""
    if os.geteuid() != 0:
        pytest.fail("a network namespace needs root: run the tests as root, in a container for one")

    def inside(function):
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        ip("link", "set", "lo", "up")
        return function()

    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        yield lambda function: thread.submit(inside, function).result(120)


def ip(*arguments):
    """Changes the network of this thread."""
    subprocess.run([installed("ip", "iproute2"), *arguments], check=True)


def drop_packets_to_the_device(verb):
    """Every packet to the device's address is dropped from now on, or not any more."""
    ip("route", verb, "blackhole", f"{DEVICE}/32", "table", "local")


def connected(server, client_id):
    """A device with an address of its own."""
    sock = socket.create_connection(server.address("mqtt"), source_address=(DEVICE, 0), timeout=15)
    device = WireDevice(sock, 5)
    device.send(packets.connect(client_id, 5))
    assert device.expect("CONNACK").reason() == 0
    return device


def test_dropped_packets_leave_it_sent_and_not_acknowledged_by_tcp(apart, template, tmp_path,
                                                                  client_id):
    def scene():
        server = Server(copy_folder(template, tmp_path / "dropped"), "--open", "--unlimited")
        sender = RawSender(server, listener="http")
        device = connected(server, client_id)
        drop_packets_to_the_device("add")
        answer = sender.send(client_id, TOPIC, confirmation="true", timeout=1)
        assert (answer.status, answer.reason) == (504, "DELIVERY_CONFIRMATION_TIMEOUT")
        assert answer.json["delivery"] == "sent-unacknowledged"
        assert answer.json["tcpAcknowledged"] is False
        # It was on its way all the time, as the answer says: TCP sends it again.
        drop_packets_to_the_device("del")
        device.acknowledge(device.message(60))

        def is_late():
            receipt = sender.request("GET", f"/receipts/{answer.trace_id}").json
            return receipt["status"] == "acknowledged-late"

        wait_until(is_late, "the late PUBACK")
        assert server.stop() == 0

    apart(scene)


def test_a_device_behind_a_dead_network_is_found(apart, template, tmp_path, client_id):
    """Though its keep-alive is far off: by the kernel, in `dead_peer`."""
    def scene():
        folder = copy_folder(template, tmp_path / "dead")
        settings = folder / "tenfour.toml"
        settings.write_text(settings.read_text().replace("[limits]", "[limits]\ndead_peer = 2"))
        server = Server(folder, "--open", "--unlimited")
        sender = RawSender(server, listener="http")
        device = connected(server, client_id)
        drop_packets_to_the_device("add")
        answer = sender.send(client_id, TOPIC, confirmation="true", timeout=15)
        assert (answer.status, answer.reason) == (504, "RECEIVER_DISCONNECTED")
        assert answer.json["delivery"] == "sent-unacknowledged"
        assert answer.json["tcpAcknowledged"] is False
        gone = sender.send(client_id, TOPIC, confirmation="true")
        assert (gone.status, gone.json["delivery"]) == (404, "never-sent")
        device.close()
        assert server.stop() == 0

    apart(scene)
