"""Clients of publish-subscribe, and the broker that they meet at: MQTT as the standards have it.

By default that is `tenfour dev --open --unlimited --profile standard`; `--broker` names another.
"""

import itertools
import secrets

import pytest

from harness.broker import Broker
from harness.paho_device import PahoDevice

# What an earlier run left on a broker that is not ours is out of the way.
RUN = secrets.token_hex(3)
NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def broker(request):
    """The broker under test."""
    named = Broker.of_options(request.config)
    return named or Broker.of_server(request.getfixturevalue("main_open_server"))


@pytest.fixture
def client_id():
    """A client ID and a topic of its own for each test."""
    return f"c{RUN}-{next(NUMBERS)}"


@pytest.fixture(params=[3, 5], ids=["v3.1.1", "v5"])
def version(request):
    """Both versions of MQTT."""
    return request.param


@pytest.fixture
def paho(broker, client_id):
    """Connects paho-mqtt clients; `role` makes the client ID."""
    devices = []

    def connect(role="", version=5, **options):
        device = PahoDevice(f"{client_id}{role}", version, **options)
        devices.append(device)
        return device.connected(broker, listener="mqtt")

    yield connect
    for device in devices:
        device.close()
