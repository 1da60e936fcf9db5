"""The servers and the people of the tests.

One server serves most tests; tests keep apart by client IDs of their own. A test that needs
another configuration uses a flavour, a test that stops its server starts one of its own.
"""

import contextlib
import itertools
import os
import pathlib
import subprocess

import pytest

from harness.control import Control
from harness.paho_device import PahoDevice
from harness.population import populate
from harness.registry import Registry, allow
from harness.senders import BotoSender, RawSender, boto3_client
from harness.server import Server, copy_folder
from harness.traced import settings as trace_settings
from harness.wire_device import WireDevice

NUMBERS = itertools.count(1)


def pytest_addoption(parser):
    """Tests of plain MQTT can be turned against another broker, to see whether they are right."""
    parser.addoption("--broker", metavar="HOST:PORT",
                     help="a broker with anonymous access to test instead of tenfour")
    parser.addoption("--broker-websocket", metavar="HOST:PORT",
                     help="where the broker of --broker takes WebSockets, path /mqtt")


@pytest.fixture(scope="session")
def bootstrapped(tmp_path_factory):
    """A data folder as the first `tenfour dev` makes it, and everybody registered in it."""
    base = tmp_path_factory.mktemp("tenfour")
    folder = base / "template"
    first = Server(folder)
    assert first.stop() == 0
    people = populate(Registry(folder / "registry"), base / "people")
    return folder, people


@pytest.fixture(scope="session")
def template(bootstrapped):
    """The data folder that every server of the tests starts from."""
    return bootstrapped[0]


@pytest.fixture(scope="session")
def people(bootstrapped):
    """Certificates of the tests."""
    return bootstrapped[1]


@pytest.fixture(scope="session")
def start(template):
    """Starts a server on a copy of the data folder; `settings` changes tenfour.toml before."""

    def starter(name, *flags, settings=""):
        folder = copy_folder(template, template.parent / name)
        if settings:
            add_settings(folder / "tenfour.toml", settings)
        return Server(folder, *flags)

    return starter


def add_settings(path, settings):
    """Adds tables to a configuration, in place of the tables of the same names."""
    names = tuple(line for line in settings.splitlines() if line.startswith("["))
    kept, skipping = [], False
    for line in path.read_text().splitlines():
        if line.strip().startswith("["):
            skipping = line.strip().startswith(names)
        if not skipping:
            kept.append(line)
    path.write_text("\n".join(kept) + "\n\n" + settings.strip() + "\n")


def running(server):
    """Yields a server; at the end nothing may have gone wrong inside it."""
    yield server
    duplicates = server.log.duplicates()
    assert server.stop() == 0
    assert not duplicates, f"several log entries for one request: {duplicates[:5]}"
    assert "panicked" not in server.printed()


@pytest.fixture(scope="session")
def main_server(start):
    """`tenfour dev` with its defaults."""
    yield from running(start("main"))


@pytest.fixture
def server(main_server):
    """The server of most tests, which has to survive each of them."""
    yield main_server
    assert main_server.is_alive(), main_server.printed()[-2000:]


@pytest.fixture
def traced(start, client_id):
    """Starts a server with traces; at the end it has to stop in time."""
    servers = []

    def starter(*arguments, **more):
        servers.append(start(f"traces-{client_id}-{len(servers)}", "--unlimited",
                             settings=trace_settings(*arguments, **more)))
        return servers[-1]

    yield starter
    for server in servers:
        assert server.stop(60) == 0
        assert "panicked" not in server.printed()


@pytest.fixture(scope="session")
def unlimited_server(start):
    """The profile `aws` without its rates."""
    yield from running(start("unlimited", "--unlimited"))


@pytest.fixture(scope="session")
def main_open_server(start):
    """The standard profile, nobody authenticated on the plain listeners, no rates."""
    yield from running(start("open", "--profile", "standard", "--open", "--unlimited"))


@pytest.fixture
def open_server(main_open_server):
    """The open server, which has to survive each test."""
    yield main_open_server
    assert main_open_server.is_alive(), main_open_server.printed()[-2000:]


@pytest.fixture
def log(server):
    """The log of the server of most tests."""
    return server.log


@pytest.fixture
def client_id():
    """A client ID that no other test uses."""
    return f"e2e-{next(NUMBERS)}"


@pytest.fixture
def boto(server):
    """boto3 with the key that may do everything."""
    return BotoSender(server, server.admin)


@pytest.fixture
def control(server):
    """boto3's client of the control plane with the key that may do everything."""
    return Control(server)


@pytest.fixture
def logs(server):
    """boto3's client that reads the log, with the key that may do everything."""
    return boto3_client(server, server.admin, service="logs")


@pytest.fixture
def allowing(control, client_id):
    """The name of a policy, made through the API, that allows everything."""
    return control.policy(client_id, allow("iot:*", "*"))


@pytest.fixture
def raw(server):
    """Signed raw requests with the key that may do everything."""
    with RawSender(server, server.admin) as sender:
        yield sender


@pytest.fixture
def wire(server, people, client_id):
    """Connects bare-socket devices of the fleet."""
    devices = []

    def connect(name=client_id, **options):
        options.setdefault("certificate", people.fleet)
        device = WireDevice.connected(server, name, **options)
        devices.append(device)
        return device

    yield connect
    for device in devices:
        device.close()


@pytest.fixture
def paho(server, people, client_id):
    """Connects paho-mqtt devices of the fleet."""
    devices = []

    def connect(name=client_id, version=5, listener="mqtts", alpn=(), certificate=None,
                **options):
        device = PahoDevice(name, version, **options)
        devices.append(device)
        return device.connected(server, listener=listener, alpn=alpn,
                                certificate=certificate or people.fleet)

    yield connect
    for device in devices:
        device.close()


@pytest.fixture
def my_device(server):
    """Paths of the certificate and key that `tenfour dev` made for myDevice."""
    device = server.ready["device"]
    return pathlib.Path(device["cert"]), pathlib.Path(device["key"])


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own that is soon full."""
    if os.geteuid() != 0:
        pytest.fail("mounting a small disk needs root: run the tests as root, in a container for one")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=True)
    with contextlib.ExitStack() as stack:
        stack.callback(subprocess.run, ["umount", "--lazy", disk], check=True)
        yield disk
