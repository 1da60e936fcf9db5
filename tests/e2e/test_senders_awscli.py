"""Senders that are the aws command."""

import json

from harness.answer import TRACE_ID
from harness.certificates import Certificate
from harness.commands import aws

REBOOT = '{"action": "reboot"}'


def send(server, *arguments):
    """Runs the aws command with the key that may send to myDevice."""
    return aws(server, server.sender, "send-direct-message", *arguments)


def test_the_announcements_command(server, paho, my_device, log):
    """Without `--cli-binary-format`, which is an option of version 2 only: version 1 sends the
    payload as it is."""
    device = paho("myDevice", certificate=Certificate(*my_device))
    done = send(server, "--client-id", "myDevice", "--topic", "commands/reboot",
                "--confirmation", "--timeout", "10", "--payload", REBOOT)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["message"] == "OK"
    assert TRACE_ID.fullmatch(answer["traceId"])
    entry = log.the_send(answer["traceId"])
    assert (entry["confirmation"], entry["timeout"]) == (True, 10)
    assert device.message().payload == REBOOT.encode()


def test_no_confirmation_is_sent_as_false(server, paho, my_device, log):
    device = paho("myDevice", certificate=Certificate(*my_device))
    done = send(server, "--client-id", "myDevice", "--topic", "commands/reboot",
                "--no-confirmation", "--content-type", "text/plain",
                "--user-properties", '[{"a": "b"}]')
    assert done.returncode == 0, done.stderr
    message = device.message()
    assert message.qos == 0
    assert message.properties.ContentType == "text/plain"
    assert message.properties.UserProperty == [("a", "b")]


def test_an_error_is_named(server):
    done = send(server, "--client-id", "another", "--topic", "commands/reboot")
    # Version 1 ends with 255 for every error of a service, version 2 with 254.
    assert done.returncode in (254, 255)
    assert "(ForbiddenException)" in done.stderr
    assert "SendDirectMessage" in done.stderr
