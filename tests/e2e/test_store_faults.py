"""The store when something is wrong with it: at the start, and while the server runs."""

import shutil
import subprocess
import urllib.error

import pytest

from harness import packets
from harness.patience import wait_until
from harness.senders import RawSender
from harness.server import Server, binary, copy_folder
from harness.wire_device import WireDevice

STANDARD = ("--open", "--profile", "standard", "--unlimited")
TOPIC = "e2e/kept"


@pytest.fixture
def folder(template, tmp_path):
    """A data folder of its own."""
    return copy_folder(template, tmp_path / "data")


def refused_start(folder):
    """The sentence of a server that does not start."""
    command = [str(binary()), "dev", "--dir", str(folder), "--ephemeral-ports"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0, ended.stdout
    # The template's registry has files that are worth a warning.
    lines = [line for line in ended.stderr.splitlines() if "warning: " not in line]
    assert len(lines) == 1, ended.stderr
    return lines[0]


def test_a_second_server_on_the_same_store_is_refused(folder):
    server = Server(folder, *STANDARD)
    sentence = refused_start(folder)
    assert str(folder / "store") in sentence and str(server.process.pid) in sentence
    assert server.is_alive()
    assert server.stop() == 0


def test_a_folder_of_something_else_is_refused(folder):
    (folder / "store").mkdir()
    (folder / "store" / "diary.txt").write_text("Dear diary")
    sentence = refused_start(folder)
    assert str(folder / "store") in sentence
    assert (folder / "store" / "diary.txt").read_text() == "Dear diary"


def test_a_file_in_its_place_is_refused(folder):
    (folder / "store").write_text("no folder")
    assert str(folder / "store") in refused_start(folder)


def test_a_read_only_store_is_refused(folder, small_disk):
    (small_disk / "store").mkdir()
    (folder / "store").symlink_to(small_disk / "store")
    server = Server(folder, *STANDARD)
    assert server.stop() == 0
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    sentence = refused_start(folder)
    assert str(folder / "store") in sentence and "mount that file system for writing" in sentence


def keep(server, client_id, messages):
    """A session that is away, and acknowledged messages for it."""
    with WireDevice.connected(server, client_id, listener="mqtt", clean=False,
                              session_expiry_interval=3600) as device:
        assert device.subscribe(TOPIC) == [1]
    with WireDevice.connected(server, f"{client_id}-pub", listener="mqtt") as publisher:
        for number, payload in enumerate(messages, 1):
            publisher.publish(TOPIC, payload, qos=1, packet_id=number)


def kept(server, client_id, count):
    """The messages that the session has."""
    with WireDevice.connected(server, client_id, listener="mqtt", clean=False,
                              session_expiry_interval=3600) as device:
        payloads = []
        while len(payloads) < count:
            message = device.message()
            payloads.append(message.payload)
            device.acknowledge(message)
        return payloads


def test_a_damaged_store_is_refused_with_one_sentence_and_nothing_is_thrown_away(folder, client_id):
    server = Server(folder, *STANDARD)
    keep(server, client_id, [b"one", b"two"])
    server.process.kill()
    server.process.wait(10)
    journals = [path for path in (folder / "store").rglob("*") if path.is_file()
                and path.stat().st_size > 100 and "jnl" in path.name]
    assert journals, sorted((folder / "store").rglob("*"))
    saved = {path: path.read_bytes() for path in journals}
    for path, data in saved.items():
        middle = len(data.rstrip(b"\0")) // 2
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1:])
    assert str(folder / "store") in refused_start(folder)
    for path, data in saved.items():
        path.write_bytes(data)
    server = Server(folder, *STANDARD)
    assert kept(server, client_id, 2) == [b"one", b"two"]
    assert server.stop() == 0


def test_a_full_disk_loses_nothing_acknowledged_and_promises_nothing_more(
    template, tmp_path, small_disk, client_id
):
    folder = copy_folder(template, tmp_path / "data")
    (small_disk / "store").mkdir()
    (folder / "store").symlink_to(small_disk / "store")
    server = Server(folder, *STANDARD)
    keep(server, client_id, [b"first"])
    watcher = WireDevice.connected(server, f"{client_id}-watcher", listener="mqtt")
    acknowledged = 1
    with WireDevice.connected(server, f"{client_id}-big", listener="mqtt") as publisher:
        for number in range(2, 2000):
            payload = b"%06d" % number + b"-" * 100_000
            publisher.send(packets.publish(TOPIC, payload, 1, number))
            answer = publisher.packet()
            if answer.kind != "PUBACK" or answer.reason() >= 0x80:
                break
            acknowledged = number
        else:
            raise AssertionError("the disk was never full")
    assert answer.kind in ("PUBACK", "DISCONNECT") and answer.reason() == 0x83

    # It says what is wrong, once and in one sentence, and to whoever balances load.
    wait_until(lambda: "nothing more can be kept" in server.printed(), "the sentence")
    entry = server.log.wait_for(eventType="Server", reason="STORE_FAILED")
    assert str(folder / "store") in entry["details"] or str(small_disk) in entry["details"]
    with pytest.raises(urllib.error.HTTPError) as caught:
        server.get_admin("/readyz")
    assert caught.value.code == 503 and "nothing more can be kept" in caught.value.read().decode()
    assert server.get_admin("/healthz")[0] == 200
    assert server.metrics()["tenfour_store_failed"] == 1

    # What need not be kept goes on.
    assert watcher.subscribe("e2e/now") == [1]
    with WireDevice.connected(server, f"{client_id}-other", listener="mqtt") as publisher:
        publisher.publish("e2e/now", b"on", qos=1)
    message = watcher.message()
    assert message.payload == b"on"
    watcher.acknowledge(message)
    sender = RawSender(server, listener="http")
    assert sender.send(f"{client_id}-watcher", topic=TOPIC, body=b"direct").status == 200
    watcher.close()
    assert server.stop() == 0

    # With room again everything that was acknowledged is there.
    roomy = tmp_path / "roomy"
    shutil.copytree(small_disk / "store", roomy)
    (folder / "store").unlink()
    (folder / "store").symlink_to(roomy)
    server = Server(folder, *STANDARD)
    payloads = kept(server, client_id, acknowledged)
    assert payloads[0] == b"first"
    assert [payload[:6] for payload in payloads[1:]] == [
        b"%06d" % number for number in range(2, acknowledged + 1)]
    assert server.stop() == 0
