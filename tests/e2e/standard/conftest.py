"""The broker that is held against the standards, and devices of it."""

import dataclasses
import itertools
import uuid

import pytest

from harness.wire_device import WireDevice, open_socket

NUMBERS = itertools.count(1)
# Another broker may remember the run before.
RUN = uuid.uuid4().hex[:8]


@dataclasses.dataclass(frozen=True)
class OtherBroker:
    """A broker that runs already, with a plain MQTT listener and nobody authenticated."""

    host: str
    port: int

    def address(self, _listener):
        """Where it listens."""
        return self.host, self.port


@pytest.fixture
def broker(request):
    """The broker under test: ours with the standard profile, or the one of `--broker`."""
    given = request.config.getoption("--broker")
    if not given:
        return request.getfixturevalue("open_server")
    host, colon, port = given.rpartition(":")
    if not colon or not port.isdigit():
        raise pytest.UsageError(f"--broker takes HOST:PORT, such as 127.0.0.1:1883; not {given}")
    return OtherBroker(host, int(port))


@pytest.fixture(params=[3, 5], ids=["3.1.1", "5.0"])
def version(request):
    """The version of a test that holds for both."""
    return request.param


@pytest.fixture
def client_id():
    """A client ID that no other test uses: letters and digits."""
    return f"s{RUN}n{next(NUMBERS)}"


@pytest.fixture
def topic():
    """The first levels of the topics of one test."""
    return f"standard/{RUN}/{next(NUMBERS)}"


@pytest.fixture
def devices():
    """Devices that end with the test."""
    opened = []
    yield opened
    for device in opened:
        device.close()


@pytest.fixture
def dial(broker, devices):
    """Opens a connection on which nothing was said yet."""

    def dial(version=5):
        device = WireDevice(open_socket(broker, "mqtt"), version)
        devices.append(device)
        return device

    return dial


@pytest.fixture
def connect(broker, devices):
    """Connects a device. `stays` asks for a session that outlives the connection."""

    def connect(name=None, version=5, stays=False, **options):
        if stays:
            options.setdefault("clean", False)
        if stays and version == 5:
            options.setdefault("session_expiry_interval", 300)
        name = f"s{RUN}n{next(NUMBERS)}" if name is None else name
        device = WireDevice.connected(broker, name, listener="mqtt", version=version, **options)
        devices.append(device)
        return device

    return connect


@pytest.fixture
def publisher(connect):
    """A device that publishes, of MQTT 5.0."""
    return connect()
