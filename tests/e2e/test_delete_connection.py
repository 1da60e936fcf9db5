"""DeleteConnection (the contract's 2.1)."""

import concurrent.futures
import signal
import subprocess

import pytest

from harness import packets
from harness.answer import TRACE_ID, check, check_shape
from harness.commands import aws, curl
from harness.lifecycle import LifecycleWatcher
from harness.packets import Will
from harness.patience import wait_until
from harness.population import NARROW, ONLOOKER
from harness.senders import BotoSender, RawSender
from harness.server import Server
from harness.websocket import WebSocket
from harness.wire_device import WireDevice, open_socket


@pytest.fixture
def server(unlimited_server):
    """One call a second for a client is not what these tests are about."""
    return unlimited_server


@pytest.fixture
def delete(boto):
    """Calls with success."""

    def call(client_id, **parameters):
        boto.call("delete_connection", clientId=client_id, **parameters)
        answer = boto.answer
        assert (answer.status, answer.body) == (200, b"")
        assert TRACE_ID.fullmatch(answer.trace_id)
        return answer

    return call


def not_found(boto, client_id, operation="delete_connection", **parameters):
    """The call finds no such client."""
    answer = boto.refused_call("ResourceNotFoundException", operation, clientId=client_id,
                               **parameters)
    check_shape(answer, 404, "CLIENT_ID_NOT_FOUND")


@pytest.mark.parametrize("version", [3, 5])
def test_a_device_is_disconnected_and_may_come_back(
        boto, delete, server, people, wire, client_id, log, version):
    device = wire(version=version)
    with LifecycleWatcher(server, people.anything, client_id) as watcher:
        answer = delete(client_id)
        codes = [(packet.kind, packet.reason()) for packet in device.end()]
        assert codes == ([("DISCONNECT", 0x98)] if version == 5 else [])
        event = watcher.next("disconnected")
        assert event["disconnectReason"] == "API_INITIATED_DISCONNECT"
        assert event["clientInitiatedDisconnect"] is False
    entry = log.wait_for(eventType="DeleteConnection", traceId=answer.trace_id)
    assert len(log.entries(traceId=answer.trace_id)) == 1
    assert (entry["protocol"], entry["status"], entry["logLevel"]) == ("HTTP", "Success", "INFO")
    assert (entry["clientId"], entry["sourceIp"]) == (client_id, "127.0.0.1")
    entry = log.wait_for(eventType="Disconnect", clientId=client_id)
    assert (entry["disconnectReason"], entry["status"]) == ("API_INITIATED_DISCONNECT", "Success")
    found = boto.call("get_connection", clientId=client_id)
    assert found["disconnectReason"] == "API_INITIATED_DISCONNECT"
    assert wire(version=version).is_silent()


@pytest.mark.parametrize("version", [3, 5])
def test_paho_is_told_and_comes_back(delete, paho, client_id, version):
    device = paho(version=version)
    delete(client_id)
    reason = device.disconnects.get(timeout=15)
    if version == 5:
        assert reason.value == 0x98
    assert paho(version=version).subscribe("e2e/a") == [1]


def mosquitto_sub(server, people, client_id, version):
    """A device that is mosquitto_sub."""
    return subprocess.Popen(
        ["mosquitto_sub", "-h", "localhost", "-p", str(server.port("mqtts")), "--cafile",
         server.ca, "--cert", str(people.fleet.cert), "--key", str(people.fleet.key),
         "-i", client_id, "-V", version, "-q", "1", "-t", "e2e/unrelated"],
        stderr=subprocess.PIPE, text=True)


def test_mosquitto_comes_back_by_itself(server, people, delete, client_id, log):
    """MQTT 3.1.1 has no way to say why."""
    device = mosquitto_sub(server, people, client_id, "mqttv311")
    try:
        log.wait_for(eventType="Subscribe", clientId=client_id)
        delete(client_id)
        connects = {"eventType": "Connect", "clientId": client_id, "status": "Success"}
        wait_until(lambda: len(log.entries(**connects)) == 2, "another CONNECT", seconds=30)
    finally:
        device.terminate()
        device.communicate(timeout=15)


def test_mosquitto_takes_a_disconnect_as_its_end(server, people, delete, client_id, log):
    """So it does with every DISCONNECT that it is sent."""
    device = mosquitto_sub(server, people, client_id, "mqttv5")
    try:
        log.wait_for(eventType="Subscribe", clientId=client_id)
        delete(client_id)
        assert device.communicate(timeout=30)[1] == ""
        assert device.returncode == 0
    finally:
        device.kill()


def test_a_websocket_device(open_server, client_id):
    sock = open_socket(open_server, "http")
    web_socket = WebSocket(sock, f"localhost:{open_server.port('http')}")
    with WireDevice(web_socket) as device, RawSender(open_server, listener="http") as raw:
        device.send(packets.connect(client_id))
        assert device.expect("CONNACK").reason() == 0
        answer = raw.request("DELETE", f"/connections/{client_id}")
        assert (answer.status, answer.body) == (200, b"")
        assert [packet.reason() for packet in device.end()] == [0x98]


def test_whoever_waits_for_a_confirmation_is_answered_at_once(
        boto, server, delete, wire, client_id, log):
    device = wire()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(boto.refused, "GatewayTimeoutException", client_id, "e2e/lamp",
                              confirmation=True, timeout=15)
        device.message()
        deleter = BotoSender(server, server.admin)
        deleter.call("delete_connection", clientId=client_id)
        check(waiting.result(30), log, 504, "RECEIVER_DISCONNECTED")


@pytest.fixture
def watcher(wire, client_id):
    """A device that hears Wills, and everything on the fence."""
    device = wire(f"{client_id}-watcher")
    assert device.subscribe(f"e2e/{client_id}/+") == [1]
    return device


@pytest.fixture
def wills(boto, watcher, client_id):
    """How many Wills came until now. A Will goes out in its own time, right after the end of its
    connection or session: what was published a while later comes after it."""

    def count():
        found = 0
        for _ in range(20):
            boto.publish(f"e2e/{client_id}/fence", qos=1)
            while (message := watcher.take()).topic != f"e2e/{client_id}/fence":
                assert message.payload == b"bye"
                found += 1
        return found

    return count


@pytest.mark.parametrize("version", [3, 5])
@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize("prevented", [False, True])
def test_a_will(delete, wire, client_id, watcher, wills, version, clean, prevented):
    wire(version=version, will=Will(f"e2e/{client_id}/will", b"bye", qos=1))
    delete(client_id, cleanSession=clean, preventWillMessage=prevented)
    if not prevented:
        assert watcher.take().payload == b"bye"
    assert wills() == 0


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize(("clean", "prevented", "expected"), [
    (False, False, 0), (True, False, 1), (False, True, 0), (True, True, 0)])
def test_a_will_with_a_delay(boto, delete, wire, client_id, watcher, wills, connected, clean,
                             prevented, expected):
    """The end of the session is the end of the delay."""
    will = Will(f"e2e/{client_id}/will", b"bye", qos=1,
                properties={"will_delay_interval": 1000})
    device = wire(will=will, session_expiry_interval=2000)
    if not connected:
        device.close()
        wait_until(lambda: not boto.call("get_connection", clientId=client_id)["connected"],
                   "the end of the connection")
        assert wills() == 0, "it waits"
    delete(client_id, cleanSession=clean, preventWillMessage=prevented)
    if expected:
        assert watcher.take().payload == b"bye"
    assert wills() == 0
    # What still waits goes out when the client begins anew.
    wire(clean=True)
    if not clean and not prevented:
        assert watcher.take().payload == b"bye"
    assert wills() == 0


def persistent(version):
    """What CONNECT says for a session that goes on."""
    return {"version": version, "clean": False,
            **({"session_expiry_interval": 600} if version == 5 else {})}


@pytest.mark.parametrize("version", [3, 5])
def test_a_persistent_session_goes_on(boto, delete, wire, client_id, version):
    device = wire(**persistent(version))
    device.subscribe(f"e2e/{client_id}")
    delete(client_id, cleanSession=False)
    boto.publish(f"e2e/{client_id}", qos=1, payload=b"kept")
    device = wire(**persistent(version))
    assert device.connack.session_present
    assert device.take().payload == b"kept"


@pytest.mark.parametrize("version", [3, 5])
@pytest.mark.parametrize("connected", [True, False])
def test_a_session_is_removed(boto, delete, wire, client_id, version, connected):
    device = wire(**persistent(version))
    device.subscribe(f"e2e/{client_id}")
    if not connected:
        device.leave()
        boto.publish(f"e2e/{client_id}", qos=1, payload=b"queued")
    delete(client_id, cleanSession=True)
    not_found(boto, client_id)
    not_found(boto, client_id, "list_subscriptions")
    boto.publish(f"e2e/{client_id}", qos=1, payload=b"for nobody")
    device = wire(**persistent(version))
    assert not device.connack.session_present
    assert device.is_silent()
    assert boto.call("list_subscriptions", clientId=client_id)["subscriptions"] == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_session_that_was_removed_is_not_there_after_a_restart(start, people, how):
    flags = ("--unlimited",)
    settings = '[store]\nfolder = "store"\ndurability = "always"'
    server = start(f"removed-{how.name}", *flags, settings=settings)
    boto = BotoSender(server, server.admin)
    for name in ("removed-online", "removed-offline", "kept"):
        device = WireDevice.connected(server, name, people.fleet, session_expiry_interval=600)
        device.subscribe("e2e/x")
        if name == "removed-offline":
            device.leave()
    boto.publish("e2e/x", qos=1, payload=b"queued")
    for name in ("removed-online", "removed-offline", "kept"):
        boto.call("delete_connection", clientId=name, cleanSession=name != "kept")
    server.process.send_signal(how)
    server.process.wait(30)
    server = Server(server.folder, *flags)
    boto = BotoSender(server, server.admin)
    for name in ("removed-online", "removed-offline"):
        not_found(boto, name, "list_subscriptions")
        device = WireDevice.connected(server, name, people.fleet, clean=False,
                                      session_expiry_interval=600)
        assert not device.connack.session_present
        assert device.is_silent()
    device = WireDevice.connected(server, "kept", people.fleet, clean=False,
                                  session_expiry_interval=600)
    assert device.connack.session_present
    assert device.take().payload == b"queued"
    assert server.stop() == 0


def test_nobody_to_delete(boto, wire, client_id, log):
    not_found(boto, client_id)
    entry = log.wait_for(eventType="DeleteConnection", traceId=boto.answer.trace_id)
    assert (entry["status"], entry["reason"]) == ("Failure", "CLIENT_ID_NOT_FOUND")
    # How a connection ended is remembered; there is nothing left of it to delete.
    wire().leave()
    not_found(boto, client_id, cleanSession=True)


def test_without_permission_nothing_is_told_and_nothing_done(server, wire, client_id):
    device = wire()
    for who in (NARROW, ONLOOKER):
        sender = BotoSender(server, who)
        texts = {
            sender.refused_call("ForbiddenException", "delete_connection",
                                clientId=name).json["message"]
            for name in (client_id, "e2e-nobody")
        }
        assert len(texts) == 1
    check_shape(sender.answer, 403, "AUTHORIZATION_FAILURE")
    assert device.is_silent()


@pytest.mark.parametrize("name", ["cleanSession", "preventWillMessage"])
@pytest.mark.parametrize("value", ["", "1", "yes", "true&{}=true"])
def test_bad_parameters_do_nothing(raw, wire, client_id, name, value):
    device = wire()
    query = f"{name}={value.format(name)}"
    answer = raw.request("DELETE", f"/connections/{client_id}?{query}")
    check_shape(answer, 400, answer.reason)
    assert name in answer.json["message"]
    assert device.is_silent()


@pytest.mark.parametrize("value", ["TRUE", "True", "true"])
def test_booleans_are_written_in_any_case(boto, raw, wire, client_id, value):
    wire(**persistent(5))
    answer = raw.request("DELETE", f"/connections/{client_id}?cleanSession={value}")
    assert answer.status == 200
    not_found(boto, client_id)


def test_the_exception_of_a_bad_client_id(boto):
    answer = boto.refused_call("InvalidRequestException", "delete_connection", clientId="$x")
    check_shape(answer, 400, "MALFORMED_CLIENTID")


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_with_a_certificate(server, people, wire, client_id, version):
    device = wire()
    who = people.anything
    answer, _ = curl(server, version, "--request", "DELETE", "--cert", who.cert, "--key", who.key,
                     server.url("https_x509", f"/connections/{client_id}"))
    assert (answer.status, answer.body) == (200, b"")
    assert [packet.reason() for packet in device.end()] == [0x98]


def test_awscli(server, wire, client_id):
    device = wire()
    done = aws(server, server.admin, "delete-connection", "--client-id", client_id,
               "--clean-session", "--prevent-will-message")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert [packet.reason() for packet in device.end()] == [0x98]
    done = aws(server, server.admin, "delete-connection", "--client-id", client_id)
    assert "(ResourceNotFoundException)" in done.stderr


def test_once_a_second_for_each_client(main_server, people, client_id):
    """The defaults. What is refused has done nothing."""
    server = main_server
    boto = BotoSender(server, server.admin)

    def throttled():
        with WireDevice.connected(server, client_id, people.fleet) as device:
            try:
                boto.call("delete_connection", clientId=client_id)
            except boto.client.exceptions.ThrottlingException:
                assert device.is_silent()
                return boto.answer
        return None

    answer = wait_until(throttled, "429", seconds=30, pause=0.2)
    check_shape(answer, 429, "DELETE_CONNECTION_THROTTLED")
