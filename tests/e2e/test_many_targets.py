"""One message to many devices in one call: a line for each as it settles, and a last line."""

import asyncio
import base64
import concurrent.futures
import contextlib
import http.client
import json
import subprocess
import threading

import httpx
import pytest

from harness import signing
from harness.answer import TRACE_ID
from harness.http2_stream import Http2Stream
from harness.paho_device import PahoDevice
from harness.patience import wait_until
from harness.population import NARROW
from harness.senders import RawSender
from harness.wire_device import WireDevice, tls_context

PATH = "/direct-messages"
TOPIC = "e2e/lamp"
COUNT = iter(range(100))


class Call:
    """A call whose answer is read line by line."""

    def __init__(self, server, body, credentials=None, listener="https", headers=None):
        self.sender = RawSender(server, listener=listener)
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = signing.sign(credentials or server.admin, "POST", self.sender.base + PATH, body,
                               headers, service="iotdevicegateway")
        self.sender.connection.request("POST", PATH, body, headers)
        self.answer = self.sender.connection.getresponse()

    @property
    def trace_id(self):
        """Of the call as a whole."""
        return self.answer.headers["x-amzn-requestid"]

    def line(self):
        """The next line, as soon as it is there; None at the end."""
        line = self.answer.readline()
        return json.loads(line) if line else None

    def rest(self):
        """All lines but the last, by client ID; the last is checked."""
        assert self.answer.status == 200, self.answer.read()
        assert self.answer.headers["content-type"] == "application/x-ndjson"
        *lines, done = list(iter(self.line, None))
        return self.checked(lines, done)

    def checked(self, lines, done):
        """The lines by client ID."""
        by_client = {line["clientId"]: line for line in lines}
        assert len(by_client) == len(lines)
        succeeded = sum(line["status"] == 200 for line in lines)
        assert done == {"done": True, "targets": len(lines), "succeeded": succeeded,
                        "failed": len(lines) - succeeded, "traceId": self.trace_id}
        return by_client

    def cancel(self):
        """Goes away."""
        self.answer.close()
        self.sender.close()


@pytest.fixture
def call(server):
    """Makes calls with the key that may do everything."""
    calls = []

    def make(client_ids, credentials=None, listener="https", headers=None, **members):
        members.setdefault("topic", TOPIC)
        made = Call(server, {"clientIds": client_ids, **members}, credentials, listener, headers)
        calls.append(made)
        return made

    yield make
    for made in calls:
        made.cancel()


@contextlib.contextmanager
def fleet(server, people, names, certificate=None, **options):
    """paho devices, connected side by side."""
    devices = [PahoDevice(name, **options) for name in names]
    certificate = certificate or people.fleet
    try:
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            list(pool.map(lambda device: device.connected(server, certificate=certificate),
                          devices))
        yield devices
    finally:
        for device in devices:
            device.close()


@pytest.mark.parametrize("listener", ["https", "http"])
def test_fifty_devices_get_it_and_each_acknowledges(server, people, call, client_id, log,
                                                    listener):
    names = [f"{client_id}-{n}" for n in range(50)]
    with fleet(server, people, names) as devices:
        made = call(names, listener=listener, payload="on", confirmation=True, timeout=15,
                    contentType="text/plain", userProperties=[{"k": "1"}, {"k": "2"}],
                    correlationData=base64.b64encode(b"\0\1").decode(),
                    payloadFormatIndicator="UTF8_DATA", responseTopic="e2e/answer")
        lines = made.rest()
        for device in devices:
            message = device.message()
            assert (message.topic, message.payload, message.qos) == (TOPIC, b"on", 1)
            assert message.properties.ContentType == "text/plain"
            assert message.properties.UserProperty == [("k", "1"), ("k", "2")]
            assert message.properties.CorrelationData == b"\0\1"
            assert message.properties.ResponseTopic == "e2e/answer"
            assert message.properties.PayloadFormatIndicator == 1
            assert device.no_message()
    assert sorted(lines) == sorted(names)
    trace_ids = set()
    for name, line in lines.items():
        assert line == {"clientId": name, "status": 200, "message": "OK",
                        "traceId": line["traceId"]}
        assert TRACE_ID.fullmatch(line["traceId"])
        trace_ids.add(line["traceId"])
        entry = log.the_send(line["traceId"])
        assert (entry["status"], entry["clientId"]) == ("Success", name)
        assert (entry["batch"], entry["timeout"]) == (made.trace_id, 15)
        assert entry["ackMs"] >= 0 and entry["sourceIp"] == "127.0.0.1"
    assert len(trace_ids | {made.trace_id}) == 51
    entry = log.wait_for(eventType="SendDirectMessages", traceId=made.trace_id)
    assert (entry["targets"], entry["succeeded"], entry["failed"]) == (50, 50, 0)


def test_each_target_has_its_own_end_and_receipt(server, people, call, client_id, raw, log):
    """Absent, silent, not allowed to receive, acknowledged, and refused by the device."""
    awake, silent, refusing = (f"{client_id}-{what}" for what in ("awake", "silent", "refusing"))
    narrow, absent = f"narrow-{client_id}", f"{client_id}-absent"
    with fleet(server, people, [awake]), \
            fleet(server, people, [silent], manual_ack=True), \
            fleet(server, people, [narrow], certificate=people.narrow), \
            WireDevice.connected(server, refusing, people.fleet) as refuses:
        made = call([silent, absent, refusing, narrow, awake], confirmation=True, timeout=10)
        refuses.acknowledge(refuses.message(), reason=0x97)
        lines = made.rest()
    expected = {
        awake: (200, None, None),
        absent: (404, "TARGET_CLIENT_ID_NOT_FOUND", "never-sent"),
        narrow: (403, "RECEIVE_AUTHORIZATION_FAILURE", "refused"),
        refusing: (429, "RECEIVER_REJECTED", "refused"),
        silent: (504, "DELIVERY_CONFIRMATION_TIMEOUT", "sent-unacknowledged"),
    }
    found = {name: (line["status"], line.get("reason"), line.get("delivery"))
             for name, line in lines.items()}
    assert found == expected
    assert lines[silent]["tcpAcknowledged"] is True
    for name, status in ((awake, "acknowledged"), (refusing, "refused"), (absent, "never-sent")):
        receipt = raw.request("GET", f"/receipts/{lines[name]['traceId']}")
        assert (receipt.json["status"], receipt.json["clientId"]) == (status, name)
    for line in lines.values():
        entry = log.the_send(line["traceId"])
        assert entry.get("reason") == line.get("reason") and entry["batch"] == made.trace_id


def test_each_target_is_authorised_on_its_own(server, people, call, client_id, log):
    """The key may send to narrow-*, on e2e/allowed/* only."""
    mine, other = f"narrow-{client_id}", f"{client_id}-other"
    with fleet(server, people, [mine], certificate=people.narrow) as (device,), \
            fleet(server, people, [other]) as (foreign,):
        lines = call([mine, other], NARROW, topic="e2e/allowed/x", payload="1").rest()
        assert (lines[mine]["status"], lines[other]["status"]) == (200, 403)
        assert lines[other]["reason"] == "SENDER_AUTHORIZATION_FAILURE"
        assert device.message().payload == b"1"
        lines = call([mine], NARROW).rest()
        assert (lines[mine]["status"], lines[mine]["delivery"]) == (403, "refused")
        # What comes first is what was allowed.
        assert call([other], payload="allowed").rest()[other]["status"] == 200
        assert foreign.message().payload == b"allowed"


def test_patterns_mean_the_connected_clients(server, people, call, client_id):
    names = [f"{client_id}-{what}" for what in ("lamp-1", "lamp-2", "door-1")]
    with fleet(server, people, names) as devices:
        made = call([f"{client_id}-lamp-*", f"{client_id}-*-1", names[0], f"{client_id}-gate-*"],
                    payload="on", confirmation=True)
        lines = made.rest()
        nobody = lines.pop(f"{client_id}-gate-*")
        assert (nobody["status"], nobody["reason"]) == (404, "NO_CLIENT_FITS")
        assert (nobody["delivery"], nobody["traceId"]) == ("never-sent", made.trace_id)
        assert sorted(lines) == sorted(names)
        assert {line["status"] for line in lines.values()} == {200}
        for device in devices:
            assert device.message().payload == b"on"
            assert device.no_message(), "each gets it once"
    wait_until(lambda: call([f"{client_id}-*"]).rest()[f"{client_id}-*"]["reason"]
               == "NO_CLIENT_FITS", "the devices to be gone")


def test_a_pattern_reveals_nobody_whom_the_sender_may_not_send_to(server, people, call, client_id):
    mine, other = f"narrow-{client_id}", f"other-{client_id}"
    with fleet(server, people, [mine], certificate=people.narrow), \
            fleet(server, people, [other]):
        assert list(call([f"*-{client_id}"], NARROW, topic="e2e/allowed/x").rest()) == [mine]
        hidden = call([f"other-{client_id}*"], NARROW, topic="e2e/allowed/x").rest()
        absent = call([f"gone-{client_id}*"], NARROW, topic="e2e/allowed/x").rest()
        for line in (*hidden.values(), *absent.values()):
            line.pop("clientId"), line.pop("traceId")
        assert list(hidden.values()) == list(absent.values())


def test_lines_come_as_their_targets_settle(server, people, call, client_id):
    silent, *awake = (f"{client_id}-{n}" for n in range(6))
    with fleet(server, people, awake), \
            fleet(server, people, [silent], manual_ack=True) as (device,):
        made = call([silent, *awake, "nobody"], confirmation=True, timeout=15)
        lines = [made.line() for _ in range(6)]
        assert {line["clientId"] for line in lines} == {*awake, "nobody"}
        # The silent one is still pending: only now does it acknowledge.
        device.acknowledge(device.message())
        lines.append(made.line())
        assert (lines[-1]["clientId"], lines[-1]["status"]) == (silent, 200)
        assert len(made.checked(lines, made.line())) == 7
        assert made.line() is None


@pytest.mark.parametrize("listener", ["https", "http"])
def test_a_sender_that_goes_away_stops_the_rest(server, people, call, raw, client_id, log,
                                                listener):
    silent, *later = (f"{client_id}-{n}" for n in range(4))
    with fleet(server, people, [silent], manual_ack=True) as (device,), \
            fleet(server, people, later) as others:
        mark = log.mark()
        made = call(["nobody", silent, *later], listener=listener, payload="batch",
                    confirmation=True, timeout=15, concurrency=1)
        assert made.line()["clientId"] == "nobody"
        message = device.message()
        made.cancel()
        entry = log.wait_since(mark, eventType="SendDirectMessages")
        assert entry["reason"] == "DELIVERY_CONFIRMATION_SENDER_DISCONNECT"
        assert (entry["targets"], entry["succeeded"], entry["failed"]) == (5, 0, 1)
        entry = log.wait_since(mark, eventType="SendDirectMessage", clientId=silent)
        assert entry["reason"] == "DELIVERY_CONFIRMATION_SENDER_DISCONNECT"
        assert "delivery" not in entry and entry["deliveryMs"] >= 0
        device.acknowledge(message)
        for name, other in zip(later, others):
            assert raw.send(name, TOPIC, b"marker", confirmation="true").status == 200
            assert other.message().payload == b"marker"
        assert not [entry for entry in log.since(mark, eventType="SendDirectMessage")
                    if entry["clientId"] in later and "batch" in entry]


def test_of_a_sender_that_goes_away_nobody_who_is_waited_for_gets_anything(
        server, people, call, raw, client_id, log):
    waited_for = [f"{client_id}-{n}" for n in range(3)]
    mark = log.mark()
    made = call([f"{client_id}-none-*", *waited_for], payload="batch", confirmation=True, timeout=15,
                waitOnlineMs=30_000, concurrency=8)
    assert made.line()["clientId"] == f"{client_id}-none-*"
    made.cancel()
    for name in waited_for:
        entry = log.wait_since(mark, eventType="SendDirectMessage", clientId=name)
        assert entry["delivery"] == "never-sent"
    with fleet(server, people, waited_for) as devices:
        for name, device in zip(waited_for, devices):
            assert raw.send(name, TOPIC, b"marker", confirmation="true").status == 200
            assert device.message().payload == b"marker"


def test_a_reset_of_http2_stops_the_rest(server, people, raw, client_id, log):
    silent, later = f"{client_id}-silent", f"{client_id}-later"
    body = json.dumps({"clientIds": ["nobody", silent, later], "topic": TOPIC, "payload": "batch",
                       "confirmation": True, "timeout": 15, "concurrency": 1}).encode()
    with fleet(server, people, [silent], manual_ack=True) as (device,), \
            fleet(server, people, [later]) as (other,):
        mark = log.mark()
        stream = Http2Stream(server, PATH, body)
        assert json.loads(stream.data())["clientId"] == "nobody"
        message = device.message()
        stream.reset()
        entry = log.wait_since(mark, eventType="SendDirectMessages")
        assert entry["reason"] == "DELIVERY_CONFIRMATION_SENDER_DISCONNECT"
        assert stream.is_open()
        device.acknowledge(message)
        assert raw.send(later, TOPIC, b"marker", confirmation="true").status == 200
        assert other.message().payload == b"marker"
        stream.sock.close()


def test_over_http2_ten_thousand_unknown_clients_are_all_answered(server, client_id):
    """The body is larger than one window of HTTP/2."""
    names = [f"{client_id}-{n}-" + "x" * 90 for n in range(10_000)]
    body = json.dumps({"clientIds": names, "topic": TOPIC}).encode()
    assert len(body) > 1_000_000

    async def ask():
        context = tls_context(server.ca, alpn=["h2"])
        async with httpx.AsyncClient(http2=True, verify=context, timeout=60) as client:
            url = server.url("https") + PATH
            headers = signing.sign(server.admin, "POST", url, body)
            return await client.post(url, content=body, headers=headers)

    answer = asyncio.run(ask())
    assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
    *lines, done = (json.loads(line) for line in answer.text.splitlines())
    assert {line["clientId"] for line in lines} == set(names)
    assert {line["status"] for line in lines} == {404}
    assert (done["done"], done["targets"], done["failed"]) == (True, 10_000, 10_000)


def test_over_http1_ten_thousand_unknown_clients_are_all_answered(call, client_id):
    lines = call([f"{client_id}-{n}" for n in range(10_000)], confirmation=True).rest()
    assert len(lines) == 10_000
    assert {line["reason"] for line in lines.values()} == {"TARGET_CLIENT_ID_NOT_FOUND"}


def test_curl_reads_it_over_http2_in_the_clear(server, people, client_id, tmp_path):
    body = json.dumps({"clientIds": [client_id, "nobody"], "topic": TOPIC, "payload": "on",
                       "confirmation": True}).encode()
    (tmp_path / "body").write_bytes(body)
    url = server.url("http") + PATH
    headers = signing.sign(server.admin, "POST", url, body)
    flags = [flag for name, value in headers.items() for flag in ("-H", f"{name}: {value}")]
    with fleet(server, people, [client_id]):
        done = subprocess.run(
            ["curl", "-sS", "-w", "%{http_version} %{http_code}", "--http2-prior-knowledge",
             *flags, "--data-binary", f"@{tmp_path / 'body'}", url],
            capture_output=True, text=True, timeout=60, check=True)
    *lines, last, wrote = done.stdout.splitlines()
    assert wrote == "2 200"
    assert {json.loads(line)["clientId"]: json.loads(line)["status"] for line in lines} == \
        {client_id: 200, "nobody": 404}
    assert json.loads(last)["succeeded"] == 1


def test_no_more_are_under_way_than_the_sender_allows(server, people, call, client_id):
    names = [f"{client_id}-{n}" for n in range(12)]
    outstanding, most, lock = set(), [0], threading.Lock()
    with fleet(server, people, names, manual_ack=True) as devices:
        def arrived(name):
            def on_message(_client, _userdata, message):
                with lock:
                    outstanding.add((name, message.mid))
                    most[0] = max(most[0], len(outstanding))
            return on_message

        by_name = dict(zip(names, devices))
        for name, device in by_name.items():
            device.client.on_message = arrived(name)
        made = call(names, confirmation=True, timeout=15, concurrency=3)
        for _ in range(4):
            wait_until(lambda: len(outstanding) >= 3, "three messages")
            with lock:
                held = list(outstanding)
                outstanding.clear()
            assert len(held) == 3
            for name, mid in held:
                by_name[name].client.ack(mid, 1)
        lines = made.rest()
    assert most[0] == 3
    assert {line["status"] for line in lines.values()} == {200}


def test_a_repeated_call_joins_the_messages_of_the_first(server, people, call, client_id, log):
    silent, awake = f"{client_id}-silent", f"{client_id}-awake"
    headers = {"x-tenfour-idempotency-key": f"key-{client_id}"}
    with fleet(server, people, [silent], manual_ack=True) as (slow,), \
            fleet(server, people, [awake]) as (quick,):
        calls = [call([silent, awake], headers=headers, confirmation=True, timeout=15)]
        line = calls[0].line()
        assert (line["clientId"], line["status"]) == (awake, 200)
        message = slow.message()
        calls.append(call([silent, awake], headers=headers, confirmation=True, timeout=15))
        line = calls[1].line()
        assert (line["clientId"], line["status"]) == (awake, 200)
        slow.acknowledge(message)
        first, again = (made.line() for made in calls)
        assert {(line["clientId"], line["status"]) for line in (first, again)} == {(silent, 200)}
        assert "repeats" not in log.the_send(first["traceId"])
        assert log.the_send(again["traceId"])["repeats"] == first["traceId"]
        marker = call([silent, awake], payload="marker").rest()
        assert {line["status"] for line in marker.values()} == {200}
        assert quick.message().payload == b"" and quick.message().payload == b"marker"
        assert slow.message().payload == b"marker"


def test_a_client_that_is_not_there_yet_can_be_waited_for(server, people, call, client_id):
    made = call(["nobody", client_id], confirmation=True, timeout=15, waitOnlineMs=15_000,
                concurrency=2, payload="on", deadlineMs=60_000)
    with fleet(server, people, [client_id]) as (device,):
        line = made.line()
        assert (line["clientId"], line["status"]) == (client_id, 200)
        assert device.message().payload == b"on"


def test_a_server_that_ends_in_the_middle_settles_what_was_begun(start, people):
    server = start(f"many-targets-{next(COUNT)}")
    try:
        with fleet(server, people, ["later"]) as (other,):
            device = WireDevice.connected(server, "first", people.fleet)
            made = Call(server, {"clientIds": ["nobody", "first", "later"], "topic": TOPIC,
                                 "confirmation": True, "timeout": 15, "concurrency": 1})
            first = made.line()
            message = device.message()
            server.terminate()
            wait_until(lambda: not accepts(server), "the drain")
            device.acknowledge(message)
            lines = made.checked([first, made.line(), made.line()], made.line())
            assert lines["first"]["status"] == 200
            assert lines["later"]["status"] == 503
            assert lines["later"]["reason"] == "SHUTTING_DOWN"
            assert lines["later"]["delivery"] == "never-sent"
            assert made.line() is None
            other.disconnects.get(timeout=30)
            assert other.no_message()
        assert server.process.wait(40) == 0
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait(10)


def accepts(server):
    """Whether new connections are taken."""
    probe = http.client.HTTPConnection(*server.address("http"), timeout=5)
    try:
        probe.connect()
        return True
    except OSError:
        return False
    finally:
        probe.close()
