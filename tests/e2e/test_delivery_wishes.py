"""What a sender can ask beyond AWS's parameters: a deadline, and to wait for the device."""

import concurrent.futures
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
