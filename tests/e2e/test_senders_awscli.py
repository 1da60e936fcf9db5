"""Senders that are the aws command."""

import json
import os
import pathlib
import subprocess
import sys

from harness.answer import TRACE_ID
from harness.certificates import Certificate

REBOOT = '{"action": "reboot"}'


def aws(server, credentials, *arguments):
    """Runs the aws command of the test's environment."""
    command = [str(pathlib.Path(sys.executable).with_name("aws")), "iot-data",
               "send-direct-message", *arguments, "--region", server.region,
               "--endpoint-url", server.url("https"), "--ca-bundle", server.ca]
    environment = {
        **os.environ, "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key, "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_the_announcements_command(server, paho, my_device, log):
    """Without `--cli-binary-format`, which is an option of version 2 only: version 1 sends the
    payload as it is."""
    device = paho("myDevice", certificate=Certificate(*my_device))
    done = aws(server, server.sender, "--client-id", "myDevice", "--topic", "commands/reboot",
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
    done = aws(server, server.sender, "--client-id", "myDevice", "--topic", "commands/reboot",
               "--no-confirmation", "--content-type", "text/plain",
               "--user-properties", '[{"a": "b"}]')
    assert done.returncode == 0, done.stderr
    message = device.message()
    assert message.qos == 0
    assert message.properties.ContentType == "text/plain"
    assert message.properties.UserProperty == [("a", "b")]


def test_an_error_is_named(server):
    done = aws(server, server.sender, "--client-id", "another", "--topic", "commands/reboot")
    # Version 1 ends with 255 for every error of a service, version 2 with 254.
    assert done.returncode in (254, 255)
    assert "(ForbiddenException)" in done.stderr
    assert "SendDirectMessage" in done.stderr
