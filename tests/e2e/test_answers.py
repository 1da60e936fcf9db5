"""Every answer to SendDirectMessage that needs no waiting, as boto3 sees it."""

import pytest

from harness.answer import check, check_shape
from harness.population import NARROW
from harness.senders import BotoSender, RawSender

TOPIC = "e2e/lamp"


def test_an_unconfirmed_send_is_dispatched_at_qos_0(server, boto, wire, client_id, log):
    device = wire()
    answer = boto.send(client_id, TOPIC, payload=b"on")
    entry = check(answer, log, 200, topicName=TOPIC, clientId=client_id, confirmation=False)
    assert "timeout" not in entry
    assert entry["accountId"] == server.ready["account"]
    message = device.message()
    assert (message.topic, message.payload, message.qos) == (TOPIC, b"on", 0)
    assert not message.retain and not message.dup


def test_a_confirmed_send_is_acknowledged_at_qos_1(boto, paho, client_id, log):
    device = paho()
    answer = boto.send(client_id, TOPIC, confirmation=True, timeout=10, payload=b"on")
    entry = check(answer, log, 200, topicName=TOPIC, clientId=client_id, confirmation=True,
                  timeout=10)
    assert entry["deliveryMs"] >= 0 and entry["ackMs"] >= 0
    assert isinstance(entry["connectionEpoch"], int)
    assert device.message().qos == 1


def test_the_timeout_in_the_log_is_the_default_when_none_was_given(boto, paho, client_id, log):
    paho()
    answer = boto.send(client_id, TOPIC, confirmation=True)
    check(answer, log, 200, confirmation=True, timeout=5)


def test_exactly_one_copy_reaches_a_device_that_also_subscribed(boto, wire, client_id):
    device = wire()
    assert device.subscribe("e2e/#") == [1]
    boto.send(client_id, TOPIC, payload=b"once")
    assert device.message().payload == b"once"
    assert device.is_silent()


@pytest.mark.parametrize("bad", ["$shadow", "x" * 129, "é" * 65])
def test_malformed_client_ids_are_refused(raw, log, bad):
    answer = raw.send(bad, TOPIC)
    check(answer, log, 400, "MALFORMED_CLIENTID")


def test_boto3_refuses_or_reports_malformed_client_ids(boto, log):
    answer = boto.refused("InvalidRequestException", "$shadow", TOPIC)
    check(answer, log, 400, "MALFORMED_CLIENTID")


@pytest.mark.parametrize(
    "topic",
    ["e" * 257, "é" * 129, "a/b/c/d/e/f/g/h/i", "$aws/things/a/shadow/update", "$custom",
     "e2e/+/on", "e2e/#", "+", "e2e/\0/on"],
)
def test_topics_that_cannot_be_published_to_are_refused(boto, log, topic):
    answer = boto.refused("InvalidRequestException", "nobody", topic)
    check(answer, log, 400, "INVALID_TOPIC")


@pytest.mark.parametrize("topic", ["e" * 256, "a/b/c/d/e/f/g/h", "//", "e2e/ with space"])
def test_topics_at_the_limits_are_accepted(boto, log, topic):
    answer = boto.refused("ResourceNotFoundException", "nobody", topic)
    check(answer, log, 404, "TARGET_CLIENT_ID_NOT_FOUND")


def test_an_empty_or_absent_topic_is_refused(raw, log):
    check(raw.send("nobody", ""), log, 400, "INVALID_TOPIC")
    check(raw.request("POST", "/connections/nobody/messages"), log, 400, "INVALID_TOPIC")


@pytest.mark.parametrize("timeout", ["0", "16", "-1", "abc", "1.5", "", "99999999999999999999"])
def test_timeouts_outside_1_to_15_are_refused(raw, log, timeout):
    answer = raw.send("nobody", TOPIC, confirmation="true", timeout=timeout)
    check(answer, log, 400, "INVALID_TIMEOUT_PARAMETER")


def test_the_timeout_does_not_matter_without_confirmation(raw, log):
    answer = raw.send("nobody", TOPIC, timeout="abc")
    check(answer, log, 404, "TARGET_CLIENT_ID_NOT_FOUND")


@pytest.mark.parametrize("confirmation", ["maybe", "1", "yes", ""])
def test_confirmation_is_true_or_false(raw, log, confirmation):
    answer = raw.send("nobody", TOPIC, confirmation=confirmation)
    check(answer, log, 400, "INVALID_CONFIRMATION_PARAMETER")


@pytest.mark.parametrize("confirmation", ["TRUE", "True", "false", "FALSE"])
def test_confirmation_is_read_in_any_case(raw, log, confirmation):
    answer = raw.send("nobody", TOPIC, confirmation=confirmation)
    check(answer, log, 404, "TARGET_CLIENT_ID_NOT_FOUND",
          confirmation=confirmation.lower() == "true")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-mqtt5-user-properties": "not base64!"},
        {"x-amz-mqtt5-user-properties": "eyJhIjoiYiJ9"},  # {"a":"b"}
        {"x-amz-mqtt5-user-properties": "W3sibmFtZSI6ImEiLCJ2YWx1ZSI6ImIifV0="},  # name, value
        {"x-amz-mqtt5-user-properties": "W3siYSI6MX1d"},  # [{"a":1}]
        {"x-amz-mqtt5-user-properties": "W3siYSI6"},  # [{"a": and no more
        {"x-amz-mqtt5-payload-format-indicator": "UTF8"},
        {"x-amz-mqtt5-correlation-data": "%%%"},
        {"x-amz-mqtt5-correlation-data": "A" * 10928},  # 8196 bytes
    ],
)
def test_malformed_mqtt5_headers_are_refused(raw, log, headers):
    answer = raw.send("nobody", TOPIC, headers=headers)
    check(answer, log, 400, "INVALID_MQTT5_PROPERTY")


@pytest.mark.parametrize(
    "query", [{"contentType": "c" * 257}, {"responseTopic": "e2e/#"}, {"responseTopic": "e" * 257}]
)
def test_malformed_mqtt5_parameters_are_refused(raw, log, query):
    answer = raw.send("nobody", TOPIC, **query)
    check(answer, log, 400, "INVALID_MQTT5_PROPERTY")


def test_the_sender_needs_permission_for_the_client(server, log):
    boto = BotoSender(server, server.sender)
    answer = boto.refused("ForbiddenException", "another", "commands/reboot")
    check(answer, log, 403, "SENDER_AUTHORIZATION_FAILURE", clientId="another")


def test_the_sender_needs_permission_for_the_topic(server, log):
    boto = BotoSender(server, server.sender)
    answer = boto.refused("ForbiddenException", "myDevice", "commands/explode")
    check(answer, log, 403, "SENDER_AUTHORIZATION_FAILURE", topicName="commands/explode")


def test_an_unauthorised_sender_learns_nothing_about_the_target(server, wire, client_id, log):
    wire()
    sender = BotoSender(server, NARROW)
    online = sender.refused("ForbiddenException", client_id, "e2e/allowed/a")
    offline = sender.refused("ForbiddenException", "nobody", "e2e/allowed/a")
    check(online, log, 403, "SENDER_AUTHORIZATION_FAILURE")
    check(offline, log, 403, "SENDER_AUTHORIZATION_FAILURE")
    assert online.json["message"] == offline.json["message"]


def test_parameters_are_checked_before_permission(server, log):
    boto = BotoSender(server, server.sender)
    answer = boto.refused("InvalidRequestException", "another", "#")
    check(answer, log, 400, "INVALID_TOPIC")


def test_a_condition_on_the_topic_is_a_pattern(server, people, wire, log):
    wire("narrow-pattern", certificate=people.narrow)
    sender = BotoSender(server, NARROW)
    check(sender.send("narrow-pattern", "e2e/allowed/deep/er"), log, 200)
    answer = sender.refused("ForbiddenException", "narrow-pattern", "e2e/other")
    check(answer, log, 403, "SENDER_AUTHORIZATION_FAILURE")


def test_the_receiver_needs_permission_for_the_topic(people, boto, wire, log):
    device = wire("narrow-receiver", certificate=people.narrow)
    answer = boto.refused("ForbiddenException", "narrow-receiver", "e2e/forbidden")
    check(answer, log, 403, "RECEIVE_AUTHORIZATION_FAILURE", clientId="narrow-receiver")
    assert device.is_silent()


def test_an_unknown_client_is_not_found(boto, log):
    answer = boto.refused("ResourceNotFoundException", "nobody", TOPIC)
    check(answer, log, 404, "TARGET_CLIENT_ID_NOT_FOUND", clientId="nobody")


def test_a_client_that_left_is_not_found(boto, wire, client_id, log):
    wire().disconnect()
    log.wait_for(eventType="Disconnect", clientId=client_id)
    answer = boto.refused("ResourceNotFoundException", client_id, TOPIC)
    check(answer, log, 404, "TARGET_CLIENT_ID_NOT_FOUND")


@pytest.mark.parametrize("version", [3, 5])
def test_an_offline_client_with_a_session_is_told_apart(boto, paho, client_id, log, version):
    paho(version=version, clean=False, session_expiry=600).close()
    log.wait_for(eventType="Disconnect", clientId=client_id)
    answer = boto.refused("ResourceNotFoundException", client_id, TOPIC)
    check(answer, log, 404, "TARGET_CLIENT_NOT_CONNECTED")
    assert "session" in answer.json["message"]


def test_a_message_to_an_offline_session_is_not_queued(boto, paho, client_id, log):
    first = paho(clean=False, session_expiry=600)
    first.subscribe("e2e/#")
    first.close()
    log.wait_for(eventType="Disconnect", clientId=client_id)
    boto.refused("ResourceNotFoundException", client_id, TOPIC, payload=b"lost")
    again = paho(clean=False, session_expiry=600)
    boto.send(client_id, TOPIC, payload=b"fresh")
    assert again.message().payload == b"fresh"


def test_the_largest_payload_passes_and_one_byte_more_is_refused(boto, wire, client_id, log):
    device = wire()
    check(boto.send(client_id, TOPIC, payload=bytes(131072)), log, 200)
    assert len(device.message().payload) == 131072
    answer = boto.refused("RequestEntityTooLargeException", client_id, TOPIC,
                          payload=bytes(131073))
    check(answer, log, 413, "PAYLOAD_TOO_LARGE")
    assert device.is_silent()


def test_a_message_beyond_the_receivers_maximum_packet_size_is_not_sent(boto, wire, client_id, log):
    device = wire(maximum_packet_size=600)
    check(boto.send(client_id, TOPIC, payload=bytes(500)), log, 200)
    assert len(device.message().payload) == 500
    answer = boto.refused("RequestEntityTooLargeException", client_id, TOPIC, payload=bytes(600))
    check(answer, log, 413, "RECEIVER_PACKET_TOO_LARGE")
    assert device.is_silent()


def test_unknown_query_parameters_are_ignored(raw, log):
    answer = raw.send("nobody", TOPIC, colour="green")
    check(answer, log, 404, "TARGET_CLIENT_ID_NOT_FOUND")


def test_duplicate_query_parameters_are_refused(raw):
    answer = raw.request("POST", "/connections/nobody/messages?topic=e2e%2Fa&topic=e2e%2Fb")
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (
        400, "InvalidRequestException:"), answer


def test_an_unknown_path_and_a_wrong_method_have_answers(raw):
    unknown = raw.request("POST", "/connections")
    check_shape(unknown, 404, "UNKNOWN_OPERATION")
    wrong = raw.request("PUT", "/connections/nobody/messages?topic=e2e%2Fa")
    check_shape(wrong, 405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["allow"] == "POST"


def test_a_request_without_credentials_is_refused(server):
    with RawSender(server) as sender:
        answer = sender.exchange("POST", "/connections/nobody/messages?topic=e2e%2Fa", b"", {})
    check_shape(answer, 403, "NOT_AUTHENTICATED")
