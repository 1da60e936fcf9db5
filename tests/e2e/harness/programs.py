"""The command lines of the clients that are programs of their own.

`cargo xtask e2e` builds them and says in the environment where they are.
"""

import os
import pathlib
import shutil
import sys

import pytest

TESTS = pathlib.Path(__file__).parents[1]


def _made(variable, what):
    """A path that `cargo xtask e2e` hands over."""
    path = pathlib.Path(os.environ.get(variable, ""))
    if not os.environ.get(variable) or not path.exists():
        pytest.fail(f"{variable} does not name {what}; `cargo xtask e2e` makes it", pytrace=False)
    return path


def installed(command, package):
    """The path of a command of a Debian package."""
    path = shutil.which(command)
    if path is None:
        pytest.fail(f"{command} is not on PATH; on Debian: apt-get install {package}",
                    pytrace=False)
    return path


def node_modules():
    """The installed packages of `mqttjs/package-lock.json`."""
    return _made("TENFOUR_NODE_MODULES", "the folder node_modules with MQTT.js")


def mqttjs():
    """MQTT.js on Node.js."""
    node_modules()
    return [installed("node", "nodejs"), TESTS / "mqttjs" / "client.js"]


def rumqttc():
    """The program built from `rumqttc/`."""
    return [_made("TENFOUR_RUMQTTC", "the program rumqttc-client")]


def gmqtt():
    """gmqtt, in the Python of the tests."""
    return [sys.executable, TESTS / "programs" / "gmqtt_client.py"]


def aiomqtt():
    """aiomqtt, in the Python of the tests."""
    return [sys.executable, TESTS / "programs" / "aiomqtt_client.py"]
