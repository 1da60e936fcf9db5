"""Receipts as they happen: what readers get, in which order, and what they cannot do to others."""

import concurrent.futures
import json
import socket
import ssl
import time

import pytest

from harness import signing
from harness.patience import wait_until
from harness.receipt_stream import ReceiptStream, receipts_path
from harness.senders import RawSender
from harness.signing import Credentials

TOPIC = "e2e/lamp"


@pytest.fixture
def background():
    """Runs sends while the test plays the device."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture
def read(server):
    """Readers of the main server, as the key that may do everything unless told otherwise."""
    readers = []

    def reader(*clients, credentials=None, **options):
        readers.append(ReceiptStream(server, credentials or server.admin, *clients, **options))
        return readers[-1]

    yield reader
    for one in readers:
        one.close()


def confirmed(sender, client_id, **query):
    """A confirmed message; its answer."""
    query.setdefault("timeout", 15)
    return sender.send(client_id, TOPIC, confirmation="true", **query)


@pytest.mark.parametrize("http2", [False, True])
def test_an_acknowledged_message_is_told(raw, read, paho, client_id, http2):
    reader = read(client_id, http2=http2)
    assert reader.first.event == "start"
    assert reader.response.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert reader.response.headers["content-type"] == "text/event-stream"
    assert reader.response.headers["cache-control"] == "no-store"
    paho()
    answer = confirmed(raw, client_id)
    assert answer.status == 200
    told = []
    while not told or told[-1]["status"] == "pending":
        told.append(reader.receipt())
    assert told[-1] == raw.request("GET", f"/receipts/{answer.trace_id}").json
    assert (told[-1]["status"], told[-1]["clientId"]) == ("acknowledged", client_id)
    assert len(told) <= 2, "it was pending once at most"


def test_a_late_acknowledgement_is_told_after_the_504(raw, read, paho, client_id):
    reader = read(client_id)
    device = paho(manual_ack=True)
    answer = confirmed(raw, client_id, timeout=1)
    assert answer.status == 504
    dispatched, timed_out = reader.receipt(), reader.receipt()
    assert dispatched["status"] == timed_out["status"] == "pending"
    assert dispatched["handedOverAt"] == timed_out["handedOverAt"]
    assert "reason" not in dispatched
    assert timed_out["reason"] == "DELIVERY_CONFIRMATION_TIMEOUT"
    device.acknowledge(device.message())
    late = reader.receipt()
    assert (late["traceId"], late["status"]) == (answer.trace_id, "acknowledged-late")
    assert late["acknowledgedAt"] >= late["handedOverAt"]


def test_a_refusal_of_the_device_is_told(raw, read, wire, client_id, background):
    """paho acknowledges with success only, so the device is a bare socket."""
    reader = read(client_id)
    device = wire()
    sending = background.submit(confirmed, raw, client_id)
    device.acknowledge(device.message(), reason=0x97)
    assert sending.result(20).status == 429
    assert reader.receipt()["status"] == "pending"
    refused = reader.receipt()
    assert (refused["status"], refused["mqttReasonCode"]) == ("refused", 0x97)


@pytest.mark.parametrize(
    ("how", "status"), [("dropped", "connection-closed"), ("replaced", "replaced")])
def test_the_end_of_the_connection_is_told(raw, read, paho, client_id, background, how, status):
    reader = read(client_id)
    device = paho(manual_ack=True)
    sending = background.submit(confirmed, raw, client_id)
    device.message()
    if how == "dropped":
        device.drop()
    else:
        paho(manual_ack=True)
    answer = sending.result(20)
    assert reader.statuses(answer.trace_id, status) == ["pending", status]


def test_what_was_never_sent_is_told(raw, read, client_id):
    reader = read(client_id)
    answer = confirmed(raw, client_id)
    assert answer.status == 404
    assert reader.statuses(answer.trace_id, "never-sent") == ["never-sent"]


def test_a_deadline_that_passed_is_told(raw, read, paho, client_id, background):
    """The device is waited for longer than the message is of use: it comes, but too late."""
    reader = read(client_id)
    headers = {"x-tenfour-wait-online-ms": "30000", "x-tenfour-deadline-ms": "500"}
    sending = background.submit(confirmed, raw, client_id, headers=headers)
    with pytest.raises(concurrent.futures.TimeoutError):
        sending.result(timeout=2)
    device = paho()
    answer = sending.result(30)
    assert (answer.status, answer.reason) == (504, "DEADLINE_EXCEEDED")
    assert reader.statuses(answer.trace_id, "expired") == ["expired"]
    assert device.no_message()


def test_a_message_without_confirmation_is_told_if_it_has_a_key(raw, read, paho, client_id):
    reader = read(client_id)
    paho()
    key = {"x-tenfour-idempotency-key": f"key-{client_id}"}
    answer = raw.send(client_id, TOPIC, headers=key)
    assert reader.statuses(answer.trace_id, "sent") == ["sent"]


def test_readers_get_the_devices_they_ask_for(raw, read, client_id):
    names = [f"{client_id}-lamp-1", f"{client_id}-fan", f"{client_id}-lamp-2", f"{client_id}-door"]
    readers = {
        "whole": read(names[1]),
        "beginning": read(f"{client_id}-lamp-*"),
        "several": read(names[3], f"{client_id}-f*"),
        "all": read("*"),
    }
    expected = {"whole": [1], "beginning": [0, 2], "several": [1, 3], "all": [0, 1, 2, 3]}
    for name in names:
        assert confirmed(raw, name).status == 404
    for which, reader in readers.items():
        got = [reader.receipt()["clientId"] for _ in expected[which]]
        assert got == [names[index] for index in expected[which]], which
    # Nothing else came: what is sent now is the next for each.
    for name in names:
        confirmed(raw, name)
    for which, reader in readers.items():
        assert reader.receipt()["clientId"] == names[expected[which][0]], which


def test_another_principal_sees_nothing(server, raw, read, client_id):
    """Both read everything: each gets its own message, and that alone."""
    other = read("*", credentials=server.sender)
    own = read(f"{client_id}*")
    assert confirmed(raw, client_id).status == 404
    assert own.receipt()["clientId"] == client_id
    answer = RawSender(server, server.sender).send("myDevice", "commands/reboot", confirmation="true")
    assert answer.status == 404
    assert other.receipt()["traceId"] == answer.trace_id


def test_nobody_reads_without_credentials(server, client_id):
    with RawSender(server) as stranger:
        assert stranger.request("GET", receipts_path(client_id)).status == 403


@pytest.mark.parametrize(
    ("path", "fragment"),
    [
        ("/receipts", "given 0 times"),
        ("/receipts?client=", "1 to 128 bytes"),
        ("/receipts?client=a%2Ab", "at the end only"),
        ("/receipts?client=%2A%2A", "at the end only"),
        ("/receipts?client=%FF", "UTF-8"),
        ("/receipts?" + "&".join(["client=a"] * 17), "given 17 times"),
        ("/receipts?client=" + "x" * 129, "1 to 128 bytes"),
    ],
)
def test_what_cannot_be_asked_for_is_answered_with_a_sentence(raw, path, fragment):
    answer = raw.request("GET", path)
    assert (answer.status, answer.reason) == (400, "INVALID_CLIENT_PARAMETER"), answer
    assert fragment in answer.json["message"]


def test_another_method_is_told_which_one_is_right(raw):
    answer = raw.request("POST", "/receipts?client=a")
    assert (answer.status, answer.headers["allow"]) == (405, "GET")


def test_whoever_comes_back_gets_what_happened_meanwhile(raw, read, client_id):
    names = [f"{client_id}-{number}" for number in range(4)]
    first = read(f"{client_id}-*")
    for name in names[:2]:
        confirmed(raw, name)
    seen = first.event()
    assert json.loads(seen.data)["clientId"] == names[0]
    first.close()
    for name in names[2:]:
        confirmed(raw, name)
    again = read(f"{client_id}-*", last_event_id=seen.id)
    assert (again.first.event, again.first.id) == ("start", seen.id)
    assert [again.receipt()["clientId"] for _ in names[1:]] == names[1:]


@pytest.mark.parametrize("last_event_id", ["0123456789abcdef-7", "nonsense"])
def test_an_id_that_nobody_knows_is_answered_with_a_gap(raw, read, client_id, last_event_id):
    earlier = read(client_id)
    confirmed(raw, client_id)
    earlier.receipt()
    reader = read(client_id, last_event_id=last_event_id)
    assert reader.first.event == "gap"
    assert json.loads(reader.first.data) == {"leftOut": None}
    assert reader.receipt()["clientId"] == client_id, "what is still known"
    confirmed(raw, client_id)
    assert reader.receipt()["status"] == "never-sent", "what happens from now on"


def request_bytes(server, credentials, *clients):
    """A request of a reader as it goes on the wire, signed."""
    path = receipts_path(*clients)
    headers = signing.sign(credentials, "GET", server.url("https", path))
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def deaf_reader(server, *clients):
    """A reader that takes no more than its small window; its socket."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.settimeout(30)
    plain.connect(("127.0.0.1", server.port("https")))
    context = ssl.create_default_context(cafile=server.ca)
    secure = context.wrap_socket(plain, server_hostname="localhost")
    secure.sendall(request_bytes(server, server.admin, *clients))
    received = b""
    while b"event: start" not in received:
        received += secure.recv(1000)
    return secure


# More than sockets and buffers between the server and a reader that does not read take.
MANY = 12_000


def long_name(client_id, number):
    """A client ID as long as it may be."""
    return f"{client_id}-{number}-".ljust(127, "x") + "|"


def fill(sender, client_id, numbers):
    """Messages to devices that are not there, whose receipts are long."""
    for number in numbers:
        topic = "e2e/" + "t" * 250
        answer = sender.send(long_name(client_id, number), topic, confirmation="true")
        assert answer.status == 404


@pytest.mark.timeout(300)
def test_a_reader_that_does_not_read_is_left_behind_and_harms_nobody(start, client_id):
    """Deliveries go on, memory is bounded, and the reader is told how much it missed."""
    server = start("deaf-reader", "--unlimited",
                   settings="[limits]\nreceipt_events = 50\ndead_peer = 300\n")
    sender = RawSender(server, server.admin)
    deaf = deaf_reader(server, "*")
    healthy = ReceiptStream(server, server.admin, "*")
    for number in range(0, MANY, 40):
        fill(sender, client_id, range(number, number + 40))
        for told in range(number, number + 40):
            assert healthy.receipt()["clientId"] == long_name(client_id, told)
    received, patience = b"", time.monotonic() + 200
    # The last of all comes, and before it the gap.
    while long_name(client_id, MANY - 1).encode() not in received:
        assert time.monotonic() < patience
        received += deaf.recv(100_000)
    events = [block for block in received.split(b"\n\n") if b"event: " in block]
    told = sum(block.count(b"event: receipt") for block in events)
    gaps = [json.loads(block.split(b"data: ")[1].splitlines()[0])["leftOut"]
            for block in events if b"event: gap" in block]
    assert gaps and sum(gaps) + told == MANY, (gaps, told)
    deaf.close()
    healthy.close()
    assert server.stop() == 0


def test_a_stream_without_news_is_kept_open_with_comments(server, client_id):
    with deaf_reader(server, client_id) as reader:
        received = b""
        while b"\n: ping\n" not in b"\n" + received:
            received += reader.recv(1000)


def test_there_is_room_for_so_many_readers_and_whoever_goes_makes_room(start, client_id):
    server = start("readers", settings="[limits]\nreceipt_readers = 2\n")
    readers = [ReceiptStream(server, server.admin, client_id, http2=http2)
               for http2 in (False, True)]
    with RawSender(server, server.admin) as sender:
        answer = sender.request("GET", receipts_path(client_id))
    assert (answer.status, answer.reason) == (429, "RECEIPT_READERS_EXCEEDED"), answer
    assert int(answer.headers["retry-after"]) >= 1

    def place():
        """A new reader, if it is let in."""
        reader = ReceiptStream(server, server.admin, client_id, patient=False)
        return reader if reader.first else None

    for leaving in readers:
        leaving.close()
        wait_until(place, "the place of a reader that left", seconds=60)
    assert server.stop() == 0


@pytest.mark.parametrize("http2", [False, True])
def test_an_open_stream_does_not_hold_up_the_end(start, client_id, http2):
    """The drain time is long; the process ends at once all the same."""
    server = start(f"open-stream-{http2}", settings="[limits]\ndrain = 600\n")
    reader = ReceiptStream(server, server.admin, client_id, http2=http2)
    server.terminate()
    assert reader.ended.wait(60)
    assert server.process.wait(60) == 0


@pytest.mark.timeout(300)
def test_a_reader_that_is_deaf_does_not_hold_up_the_end_either(start, client_id):
    server = start("deaf-at-the-end", "--unlimited",
                   settings="[limits]\ndrain = 600\ndead_peer = 600\n")
    deaf = deaf_reader(server, "*")
    with RawSender(server, server.admin) as sender:
        fill(sender, client_id, range(MANY))
    server.terminate()
    assert server.process.wait(60) == 0
    deaf.close()


def test_a_stream_ends_when_its_principal_is_revoked(start, client_id):
    """Whoever may not call any more is not told any more either."""
    server = start("revoked-reader")
    credentials = Credentials("AKIAE2EREADER0000001", "secret of the reader")
    server.registry.sender("reader", credentials, [])

    def request(path):
        with RawSender(server, credentials) as sender:
            return sender.request("GET", path)

    nothing = "/receipts/00000000-0000-4000-8000-000000000000"
    wait_until(lambda: request(nothing).status == 404, "the new key", seconds=20)
    reader = ReceiptStream(server, credentials, client_id)
    server.registry.remove("senders/reader.toml")
    assert reader.ended.wait(60)
    assert request(nothing).status == 403
    assert server.stop() == 0
