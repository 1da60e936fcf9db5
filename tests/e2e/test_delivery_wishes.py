"""What a sender can ask beyond AWS's parameters: a deadline, and to wait for the device."""

import concurrent.futures
import socket
import time

import pytest

from harness.senders import RawSender

TOPIC = "e2e/lamp"
DEADLINE = "x-tenfour-deadline-ms"
WAIT = "x-tenfour-wait-online-ms"


@pytest.fixture
def background():
    """Runs sends while the test plays the device."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.mark.parametrize("confirmation", ["true", "false"])
def test_a_device_that_comes_in_time_gets_the_message(raw, wire, client_id, background, log,
                                                      confirmation):
    sending = background.submit(raw.send, client_id, TOPIC, b"on", confirmation=confirmation,
                                timeout=15, headers={WAIT: "15000"})
    with pytest.raises(concurrent.futures.TimeoutError):
        sending.result(timeout=0.5)
    device = wire()
    message = device.message()
    assert (message.payload, message.qos) == (b"on", int(confirmation == "true"))
    if message.qos:
        device.acknowledge(message)
    answer = sending.result(20)
    assert answer.status == 200
    assert log.the_send(answer.trace_id)["status"] == "Success"
    assert device.is_silent()


def test_a_device_that_does_not_come_gets_nothing_afterwards(raw, wire, client_id):
    begun = time.monotonic()
    answer = raw.send(client_id, TOPIC, confirmation="true", timeout=1, headers={WAIT: "700"})
    assert time.monotonic() - begun >= 0.65
    assert (answer.status, answer.json["reason"]) == (404, "TARGET_CLIENT_ID_NOT_FOUND")
    assert answer.json["delivery"] == "never-sent"
    assert wire().is_silent()


@pytest.mark.parametrize("listener", ["http", "https"])
@pytest.mark.parametrize("confirmation", ["true", "false"])
def test_of_a_sender_that_goes_away_nothing_is_sent_afterwards(server, wire, client_id, background,
                                                               log, listener, confirmation):
    mark = log.mark()
    sender = RawSender(server, server.admin, listener=listener)
    sending = background.submit(sender.send, client_id, TOPIC, b"late", confirmation=confirmation,
                                timeout=15, headers={WAIT: "30000"})
    with pytest.raises(concurrent.futures.TimeoutError):
        sending.result(timeout=0.5)
    sender.connection.sock.shutdown(socket.SHUT_RDWR)
    entry = log.wait_since(mark, eventType="SendDirectMessage", clientId=client_id)
    assert entry["reason"] == "DELIVERY_CONFIRMATION_SENDER_DISCONNECT"
    assert entry["delivery"] == "never-sent"
    assert wire().is_silent()
    receipt = RawSender(server, server.admin).request("GET", f"/receipts/{entry['traceId']}")
    assert receipt.json["status"] == "never-sent"


def test_a_repetition_that_waits_keeps_the_message_of_a_sender_that_went_away(
        server, raw, wire, client_id, background, log):
    headers = {WAIT: "30000", "x-tenfour-idempotency-key": client_id}
    mark = log.mark()
    sender = RawSender(server, server.admin)
    background.submit(sender.send, client_id, TOPIC, b"once", confirmation="true", timeout=15,
                      headers=headers)
    time.sleep(0.5)
    repeating = background.submit(raw.send, client_id, TOPIC, b"once", confirmation="true",
                                  timeout=15, headers=headers)
    with pytest.raises(concurrent.futures.TimeoutError):
        repeating.result(timeout=1)
    sender.connection.sock.shutdown(socket.SHUT_RDWR)
    log.wait_since(mark, eventType="SendDirectMessage", clientId=client_id)
    device = wire()
    message = device.message()
    assert message.payload == b"once"
    device.acknowledge(message)
    assert repeating.result(20).status == 200
    assert device.is_silent()


def test_a_repetition_of_what_waits_for_its_device_keeps_its_time(server, raw, wire, client_id,
                                                                 background):
    """Its time is over before the device comes; it begins again then, and ends."""
    headers = {WAIT: "30000", "x-tenfour-idempotency-key": client_id}
    sends = [background.submit(sender.send, client_id, TOPIC, b"once", confirmation="true",
                               timeout=1, headers=headers)
             for sender in (raw, RawSender(server, server.admin))]
    with pytest.raises(concurrent.futures.TimeoutError):
        sends[0].result(timeout=2.5)
    device = wire()
    assert device.message().payload == b"once"
    for sending in sends:
        answer = sending.result(20)
        assert (answer.status, answer.json["delivery"]) == (504, "sent-unacknowledged")


def test_at_the_end_of_the_server_nobody_waits_for_a_device(start, client_id, background):
    """A server that drains lets no device in: the sender is answered at once."""
    server = start("waiting-at-the-end")
    sending = background.submit(RawSender(server, server.admin).send, client_id, TOPIC,
                                confirmation="true", timeout=15, headers={WAIT: "60000"})
    with pytest.raises(concurrent.futures.TimeoutError):
        sending.result(timeout=1)
    begun = time.monotonic()
    assert server.stop(60) == 0
    assert time.monotonic() - begun < 20
    answer = sending.result(5)
    assert (answer.status, answer.json["delivery"]) == (404, "never-sent")
    assert server.log.the_send(answer.trace_id)["reason"] == "TARGET_CLIENT_ID_NOT_FOUND"


def test_a_device_that_is_there_is_not_waited_for(raw, wire, client_id, background):
    device = wire()
    sending = background.submit(raw.send, client_id, TOPIC, confirmation="true", timeout=15,
                                headers={WAIT: "15000"})
    device.acknowledge(device.message())
    assert sending.result(20).status == 200


def test_a_device_that_comes_after_the_deadline_gets_nothing(raw, wire, client_id, background):
    sending = background.submit(raw.send, client_id, TOPIC, confirmation="true", timeout=15,
                                headers={WAIT: "15000", DEADLINE: "300"})
    time.sleep(2)
    device = wire()
    answer = sending.result(20)
    assert (answer.status, answer.json["reason"]) == (504, "DEADLINE_EXCEEDED")
    assert answer.json["delivery"] == "never-sent"
    assert device.is_silent()


def test_the_life_that_is_left_goes_to_an_mqtt_5_device(raw, wire, client_id, background):
    device = wire()
    sending = background.submit(raw.send, client_id, TOPIC, confirmation="true", timeout=15,
                                headers={DEADLINE: "2500"})
    message = device.message()
    assert message.properties["message_expiry_interval"] == 3
    device.acknowledge(message)
    assert sending.result(20).status == 200


def test_a_deadline_that_was_kept_does_not_shorten_the_wait(raw, wire, client_id, background):
    device = wire()
    sending = background.submit(raw.send, client_id, TOPIC, confirmation="true", timeout=15,
                                headers={DEADLINE: "1500"})
    message = device.message()
    with pytest.raises(concurrent.futures.TimeoutError):
        sending.result(timeout=2.5)
    device.acknowledge(message)
    assert sending.result(20).status == 200


@pytest.mark.parametrize("header", [DEADLINE, WAIT])
@pytest.mark.parametrize("value", ["0", "-1", "soon", "99999999999"])
def test_a_time_that_is_none_is_told(server, client_id, header, value):
    answer = RawSender(server, server.admin).send(client_id, TOPIC, headers={header: value})
    assert answer.status == 400 and header in answer.json["message"]
