"""GetConnection (the contract's 2.2)."""

import json
import time
import urllib.parse

import pytest

from harness import packets
from harness.answer import check_shape
from harness.certificates import Certificate
from harness.commands import aws, curl
from harness.patience import wait_until
from harness.population import NARROW, ONLOOKER
from harness.senders import BotoSender, RawSender
from harness.server import Server
from harness.signing import Credentials
from harness.websocket import WebSocket
from harness.wire_device import WireDevice, open_socket

SOCKET = {"sourceIp", "sourcePort", "targetIp", "targetPort"}
DETAILS = {"disconnectedSince", "disconnectReason"}


@pytest.fixture
def server(unlimited_server):
    """One call a second for a client is not what these tests are about."""
    return unlimited_server


@pytest.fixture
def get(boto):
    """Calls; returns what boto3 makes of the answer."""

    def call(client_id, **parameters):
        found = boto.call("get_connection", clientId=client_id, **parameters)
        found.pop("ResponseMetadata")
        return found

    return call


def millis():
    """The wall clock, in the unit of the answers."""
    return int(time.time() * 1000)


def gone(get, client_id):
    """Waits until a client is not connected any more; returns what is told of it."""

    def probe():
        found = get(client_id)
        return found if not found["connected"] else None

    return wait_until(probe, f"the end of {client_id}")


@pytest.mark.parametrize("version", [3, 5])
def test_a_connected_device(boto, get, paho, client_id, version):
    before = millis()
    paho(version=version)
    found = get(client_id)
    assert found["clientId"] == client_id
    assert (found["connected"], found["cleanSession"]) == (True, True)
    assert (found["keepAliveDuration"], found["sessionExpiry"]) == (60, 0)
    assert before - 1000 <= found["connectedSince"] <= millis() + 1000
    assert not (DETAILS | SOCKET | {"thingName", "vpcEndpointId"}) & found.keys()
    # Ours, of which boto3's model knows nothing.
    ours = boto.answer.json
    assert found["connectedSince"] <= ours["lastSeen"] <= millis() + 1000
    assert ours["inflight"] == 0
    assert isinstance(ours["connectionEpoch"], int)


def test_the_keep_alive_is_the_one_in_force(get, wire, client_id):
    wire(keep_alive=5)
    assert get(client_id)["keepAliveDuration"] == 30


@pytest.mark.parametrize("version", [3, 5])
def test_a_persistent_session(get, paho, client_id, version):
    paho(version=version, clean=False, session_expiry=120)
    found = get(client_id)
    assert (found["connected"], found["cleanSession"]) == (True, False)
    # MQTT 3.1.1 leaves the number to the account.
    assert found["sessionExpiry"] == (120 if version == 5 else 3600)


def test_the_thing_is_named(server, get, my_device, paho):
    paho("myDevice", certificate=Certificate(*my_device))
    assert get("myDevice")["thingName"] == "myDevice"


def test_what_is_ours(boto, get, wire, client_id, log):
    device = wire()
    epoch = log.wait_for(eventType="Connect", clientId=client_id)["connectionEpoch"]
    get(client_id)
    first = boto.answer.json
    assert (first["connectionEpoch"], first["inflight"]) == (epoch, 0)
    device.subscribe(f"e2e/{client_id}")
    sender = wire(f"{client_id}-sender")
    for n in range(3):
        sender.publish(f"e2e/{client_id}", b"x", 1, packet_id=n + 1)
    messages = [device.message() for _ in range(3)]
    device.acknowledge(messages[1])
    assert device.is_silent()
    get(client_id)
    assert boto.answer.json["inflight"] == 2
    assert boto.answer.json["lastSeen"] > first["lastSeen"]


def test_socket_information(server, get, people, wire, client_id):
    device = wire()
    found = get(client_id, includeSocketInformation=True)
    assert (found["sourceIp"], found["sourcePort"]) == device.sock.getsockname()[:2]
    assert (found["targetIp"], found["targetPort"]) == device.sock.getpeername()[:2]
    assert found["targetPort"] == server.port("mqtts")
    assert not SOCKET & get(client_id, includeSocketInformation=False).keys()
    # It is known for a while afterwards.
    address = device.sock.getsockname()[:2]
    device.close()
    gone(get, client_id)
    found = get(client_id, includeSocketInformation=True)
    assert (found["sourceIp"], found["sourcePort"]) == address
    assert (found["targetIp"], found["targetPort"]) == ("127.0.0.1", server.port("mqtts"))


@pytest.mark.parametrize("listener", ["mqtt", "http"])
def test_socket_information_of_plain_and_websocket_devices(open_server, client_id, listener):
    server = open_server
    sock = open_socket(server, listener)
    host = f"localhost:{server.port(listener)}"
    with WireDevice(WebSocket(sock, host) if listener == "http" else sock) as device, \
            RawSender(server, listener="http") as raw:
        device.send(packets.connect(client_id))
        assert device.expect("CONNACK").reason() == 0
        answer = raw.request("GET", f"/connections/{client_id}?includeSocketInformation=TRUE")
        assert answer.status == 200, answer
        found = answer.json
        assert (found["sourceIp"], found["sourcePort"]) == sock.getsockname()
        assert (found["targetIp"], found["targetPort"]) == sock.getpeername()


def test_socket_information_needs_permission(server, wire, client_id):
    """Asked for and not allowed, the whole call is refused; a missing client makes no
    difference."""
    wire()
    onlooker = BotoSender(server, ONLOOKER)
    found = onlooker.call("get_connection", clientId=client_id)
    assert found["connected"] and "sourceIp" not in found
    texts = set()
    for name in (client_id, "e2e-nobody"):
        answer = onlooker.refused_call("ForbiddenException", "get_connection", clientId=name,
                                       includeSocketInformation=True)
        check_shape(answer, 403, "AUTHORIZATION_FAILURE")
        texts.add(answer.json["message"])
    assert len(texts) == 1 and "iot:IncludeSocketInformation" in texts.pop()


def test_without_permission_nothing_is_told(server, wire, client_id, log):
    wire()
    narrow = BotoSender(server, NARROW)
    answers = [narrow.refused_call("ForbiddenException", "get_connection", clientId=name)
               for name in (client_id, "e2e-nobody")]
    for answer in answers:
        check_shape(answer, 403, "AUTHORIZATION_FAILURE")
    assert answers[0].json["message"] == answers[1].json["message"]
    entry = log.wait_for(eventType="GetConnection", traceId=answers[0].trace_id)
    assert (entry["status"], entry["reason"]) == ("Failure", "AUTHORIZATION_FAILURE")


def test_the_deciding_statement_for_who_may_know_it(server, client_id):
    name = "explained"
    server.registry.policy(name, *[
        {"Effect": "Allow", "Action": "tenfour:Explain", "Resource": "*"},
        {"Sid": "NoLooking", "Effect": "Deny", "Action": "iot:GetConnection", "Resource": "*"},
    ])
    key = Credentials("AKIAE2EEXPLAINED0001", "secret of the explained key")
    server.registry.sender(name, key, [name])
    with RawSender(server, key) as raw:

        def probe():
            answer = raw.request("GET", f"/connections/{client_id}")
            return answer if answer.reason == "AUTHORIZATION_FAILURE" else None

        explanation = wait_until(probe, "the new key", pause=0.2).json["explanation"]
    assert explanation["decision"] == "explicitDeny"
    assert explanation["statement"]["sid"] == "NoLooking"
    assert explanation["context"]["iot:IncludeSocketInformation"] == "false"


@pytest.mark.parametrize(("leave", "reason"), [
    ("close", "CLIENT_INITIATED_DISCONNECT"), ("drop", "CONNECTION_LOST")])
@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("version", [3, 5])
def test_a_device_that_left(boto, get, paho, client_id, version, clean, leave, reason):
    device = paho(version=version, clean=clean, session_expiry=0 if clean else 120)
    connected = get(client_id)
    epoch = boto.answer.json["connectionEpoch"]
    getattr(device, leave)()
    found = gone(get, client_id)
    assert found["disconnectReason"] == reason
    assert connected["connectedSince"] <= found["disconnectedSince"] <= millis() + 1000
    assert "connectedSince" not in found
    for name in ("clientId", "cleanSession", "keepAliveDuration", "sessionExpiry"):
        assert found[name] == connected[name]
    assert boto.answer.json["connectionEpoch"] == epoch
    assert boto.answer.json.get("inflight") == (None if clean else 0)
    # It comes back, and the answer is about the new connection.
    paho(version=version, clean=clean, session_expiry=0 if clean else 120)
    found = get(client_id)
    assert found["connected"] and not DETAILS & found.keys()
    assert boto.answer.json["connectionEpoch"] > epoch


def test_the_reason_of_a_take_over_is_not_that_of_the_newer_connection(get, wire, client_id):
    wire()
    newer = wire()
    assert get(client_id)["connected"]
    newer.leave()
    assert gone(get, client_id)["disconnectReason"] == "CLIENT_INITIATED_DISCONNECT"


@pytest.fixture(scope="module")
def forgetful(start):
    """A server that forgets after two seconds how connections ended."""
    server = start("forgetful", "--unlimited", settings="[limits]\ndeparture_life = 2\n")
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("version", [3, 5])
def test_what_is_forgotten_after_a_while(forgetful, people, version, client_id):
    """AWS's while is half an hour. A session that goes on is still told of."""
    boto = BotoSender(forgetful, forgetful.admin)
    kept = f"{client_id}-kept"
    for name, options in ((client_id, {}), (kept, {"session_expiry_interval": 600})):
        if version == 3:
            options = {"clean": not options}
        device = WireDevice.connected(forgetful, name, people.fleet, version=version, **options)
        device.leave()

    def is_forgotten():
        found = boto.call("get_connection", clientId=kept)
        return found if "disconnectReason" not in found else None

    found = wait_until(is_forgotten, "the end of the memory", pause=0.2)
    assert (found["connected"], found["cleanSession"]) == (False, False)
    assert found["sessionExpiry"] == (600 if version == 5 else 3600)
    assert not (DETAILS | {"connectedSince", "keepAliveDuration"}) & found.keys()
    answer = boto.refused_call("ResourceNotFoundException", "get_connection", clientId=client_id)
    check_shape(answer, 404, "CLIENT_ID_NOT_FOUND")


def test_a_restart_forgets_how_connections_ended(start, people):
    server = start("forgetting", "--unlimited")
    WireDevice.connected(server, "kept", people.fleet, session_expiry_interval=600).leave()
    WireDevice.connected(server, "clean", people.fleet).leave()
    boto = BotoSender(server, server.admin)
    assert gone(lambda name: boto.call("get_connection", clientId=name), "clean")
    assert server.stop() == 0
    server = Server(server.folder, "--unlimited")
    boto = BotoSender(server, server.admin)
    found = boto.call("get_connection", clientId="kept")
    assert (found["connected"], found["cleanSession"]) == (False, False)
    assert not DETAILS & found.keys()
    boto.refused_call("ResourceNotFoundException", "get_connection", clientId="clean")
    assert server.stop() == 0


def test_an_unknown_client(boto, log):
    answer = boto.refused_call("ResourceNotFoundException", "get_connection",
                               clientId="e2e-nobody")
    check_shape(answer, 404, "CLIENT_ID_NOT_FOUND")
    entry = log.wait_for(eventType="GetConnection", traceId=answer.trace_id)
    assert (entry["status"], entry["logLevel"]) == ("Failure", "ERROR")
    assert (entry["clientId"], entry["reason"]) == ("e2e-nobody", "CLIENT_ID_NOT_FOUND")
    assert entry["details"] == answer.json["message"]


def test_one_log_entry(boto, get, wire, client_id, log):
    wire()
    get(client_id)
    trace_id = boto.answer.trace_id
    entry = log.wait_for(eventType="GetConnection", traceId=trace_id)
    assert len(log.entries(traceId=trace_id)) == 1
    assert (entry["protocol"], entry["status"], entry["logLevel"]) == ("HTTP", "Success", "INFO")
    assert (entry["clientId"], entry["sourceIp"]) == (client_id, "127.0.0.1")
    assert entry["principalId"] and isinstance(entry["sourcePort"], int)


@pytest.mark.parametrize("suffix", ["/subscriptions", "/messages", "/a b", "/ü€", "/~._-", "+#"])
def test_client_ids_of_odd_characters(get, wire, client_id, suffix):
    """boto3 encodes the slash, without which it would be another operation."""
    wire(client_id + suffix)
    assert get(client_id + suffix)["clientId"] == client_id + suffix


@pytest.mark.parametrize("encoded", [True, False])
def test_slashes_may_stand_as_they_are(raw, wire, client_id, encoded):
    name = f"{client_id}/a/b"
    wire(name)
    path = urllib.parse.quote(name, safe="" if encoded else "/")
    assert raw.request("GET", f"/connections/{path}").json["clientId"] == name


@pytest.mark.parametrize("value", ["", "1", "yes", "true&includeSocketInformation=true"])
def test_bad_parameters(raw, value):
    answer = raw.request("GET", f"/connections/nobody?includeSocketInformation={value}")
    check_shape(answer, 400, "INVALID_INCLUDE_SOCKET_INFORMATION_PARAMETER")


@pytest.mark.parametrize("label", ["%24x", "%zz", "%00", "", "x" * 129])
def test_bad_client_ids(raw, label):
    check_shape(raw.request("GET", f"/connections/{label}"), 400, "MALFORMED_CLIENTID")


def test_the_exception_of_a_bad_client_id(boto):
    boto.refused_call("InvalidRequestException", "get_connection", clientId="$x")


def test_other_methods(raw):
    for method in ("POST", "PUT", "PATCH"):
        answer = raw.request(method, "/connections/nobody")
        check_shape(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == "GET, DELETE"


def test_without_credentials(server):
    with RawSender(server) as nobody:
        check_shape(nobody.request("GET", "/connections/nobody"), 403, "NOT_AUTHENTICATED")


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_with_a_certificate(server, people, wire, client_id, version):
    wire()
    who = people.anything
    answer, _ = curl(server, version, "--cert", who.cert, "--key", who.key,
                     server.url("https_x509", f"/connections/{client_id}"))
    assert (answer.status, answer.json["connected"]) == (200, True)


def test_awscli(server, wire, client_id):
    device = wire()
    done = aws(server, server.admin, "get-connection", "--client-id", client_id,
               "--include-socket-information")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["connected"], found["sourcePort"]) == (True, device.sock.getsockname()[1])
    done = aws(server, server.admin, "get-connection", "--client-id", "e2e-nobody")
    assert "(ResourceNotFoundException)" in done.stderr


def test_once_a_second_for_each_client(main_server, people, client_id):
    """The defaults: the first call passes, one right after it does not."""
    server = main_server
    boto = BotoSender(server, server.admin)
    with WireDevice.connected(server, client_id, people.fleet):

        def throttled():
            try:
                boto.call("get_connection", clientId=client_id)
            except boto.client.exceptions.ThrottlingException:
                return boto.answer
            return None

        answer = wait_until(throttled, "429", pause=0)
        check_shape(answer, 429, "GET_CONNECTION_THROTTLED")
        entry = server.log.wait_for(eventType="GetConnection", traceId=answer.trace_id)
        assert entry["reason"] == "GET_CONNECTION_THROTTLED"
        # Others are not concerned, nor are the other operations, nor is the same one later.
        boto.refused_call("ResourceNotFoundException", "get_connection", clientId=f"{client_id}-x")
        boto.call("list_subscriptions", clientId=client_id)
        wait_until(lambda: throttled() is None, "another second", pause=0.1)
    metric = 'tenfour_throttled_total{quota="get_connection_per_client"}'
    assert server.metrics()[metric] >= 1


def test_the_accounts_rate(start):
    server = start("seldom", settings="[quotas]\nget_connection = 2\n")
    raw = RawSender(server, server.admin)
    answers = [raw.request("GET", f"/connections/e2e-{n}") for n in range(100)]
    throttled = [answer for answer in answers if answer.status == 429]
    assert throttled and answers[0].status == 404
    check_shape(throttled[0], 429, "GET_CONNECTION_THROTTLED")
    # Who may not call does not learn of it either.
    with RawSender(server, NARROW) as narrow:
        assert narrow.request("GET", "/connections/e2e-0").status == 403
    assert server.stop() == 0
