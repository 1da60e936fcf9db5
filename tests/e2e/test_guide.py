"""What `tenfour dev` prints can be pasted as it is: every command is run here by a shell."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from harness.certificates import Certificate
from harness.paho_device import PahoDevice
from harness.patience import wait_until
from harness.senders import BotoSender

REBOOT = b'{"action": "reboot"}'
# The commands of the tests' own environment come first, as in an activated one.
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}


@pytest.fixture(scope="module")
def printing(start):
    """A server with nobody but the people that `tenfour dev` made."""
    server = start("printing")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def commands(printing):
    """The printed commands, without the comments between them."""

    def printed():
        blocks = re.split(r"(?m)^#.*$", printing.printed())
        return blocks if any("import boto3" in block for block in blocks) else None

    return wait_until(printed, "the printed commands")


def the_command(commands, *words):
    """The one printed command with all these words."""
    (found,) = [block for block in commands if all(word in block for word in words)]
    # What follows a here-document is not part of the command any more.
    program, mark, _ = found.strip().partition("\nEOF")
    return program + mark


@pytest.mark.parametrize(
    "words",
    [["curl", "--cert "], ["curl", "--aws-sigv4"], ["aws iot-data"], ["import boto3"]],
    ids=["curl-x509", "curl-sigv4", "aws", "boto3"],
)
def test_the_senders_that_are_printed(printing, commands, words):
    device = printing.ready["device"]
    mine = Certificate(pathlib.Path(device["cert"]), pathlib.Path(device["key"]))
    with PahoDevice(device["client_id"]) as receiver:
        receiver.connected(printing, certificate=mine)
        done = subprocess.run(["bash", "-c", the_command(commands, *words)], env=ENVIRONMENT,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "OK" in done.stdout, done.stdout
        assert receiver.message().payload == REBOOT


@pytest.mark.parametrize("word", [" listen ", "mosquitto_sub"])
def test_the_devices_that_are_printed(printing, commands, word):
    mark = printing.log.mark()
    device = subprocess.Popen(["bash", "-c", "exec " + the_command(commands, word)],
                              env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
    try:
        wait_until(lambda: printing.log.since(mark, eventType="Connect", status="Success"),
                   "the printed device")
        sender = BotoSender(printing, printing.sender)
        sender.send("myDevice", "commands/reboot", confirmation=True, timeout=10, payload=REBOOT)
        lines = []
        while not any("commands/reboot" in line for line in lines):
            line = device.stdout.readline()
            assert line, lines
            lines.append(line)
    finally:
        device.terminate()
        device.wait(10)
