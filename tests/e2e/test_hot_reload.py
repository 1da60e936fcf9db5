"""The registry is read again while the server runs, and no connection is dropped for it."""

import pytest

from harness import certificates, packets
from harness.answer import check
from harness.patience import wait_until
from harness.registry import allow, deny
from harness.senders import BotoSender, RawSender
from harness.signing import Credentials
from harness.wire_device import WireDevice

TOPIC = "e2e/lamp"


@pytest.fixture(scope="module")
def changing(start):
    """A server whose registry the tests change."""
    server = start("changing")
    yield server
    assert server.stop() == 0
    assert "panicked" not in server.printed()


@pytest.fixture
def changed(changing):
    """Waits until a send of the administrator ends with this status and reason."""
    with RawSender(changing, changing.admin, "http") as sender:

        def wait(client_id, status, reason=None):
            def probe():
                answer = sender.send(client_id, TOPIC)
                return answer if (answer.status, answer.reason) == (status, reason) else None

            return wait_until(probe, f"{status} {reason}", seconds=20, pause=0.2)

        yield wait


def test_a_new_certificate_may_connect(changing, tmp_path, client_id, changed):
    mine = certificates.make(tmp_path, client_id)
    changing.registry.policy(client_id, allow("iot:*", "*"))
    changing.registry.certificate(client_id, mine, [client_id])

    def connects():
        try:
            return WireDevice.connected(changing, client_id, mine)
        except (OSError, AssertionError):
            return None

    with wait_until(connects, "the new certificate", seconds=20, pause=0.5) as device:
        changed(client_id, 200)
        assert device.message().topic == TOPIC


def test_a_policy_change_counts_without_a_reconnect(changing, tmp_path, client_id, changed):
    mine = certificates.make(tmp_path, client_id)
    changing.registry.policy(client_id, allow("iot:*", "*"))
    changing.registry.certificate(client_id, mine, [client_id])
    with wait_until(lambda: connected(changing, client_id, mine), "connection") as device:
        changed(client_id, 200)
        changing.registry.policy(client_id, allow("iot:*", "*"), deny("iot:Receive", "topic/e2e/*"))
        changed(client_id, 403, "RECEIVE_AUTHORIZATION_FAILURE")
        changing.registry.policy(client_id, allow("iot:*", "*"))
        changed(client_id, 200)
        # The same connection all the time: it still answers.
        device.send(packets.PINGREQ)
        while device.packet().kind != "PINGRESP":
            pass


def connected(server, client_id, certificate):
    """A connected device, or None while its certificate is not known yet."""
    try:
        return WireDevice.connected(server, client_id, certificate)
    except (OSError, AssertionError):
        return None


def test_a_broken_policy_keeps_the_last_good_state_and_says_so(
    changing, tmp_path, client_id, changed
):
    mine = certificates.make(tmp_path, client_id)
    changing.registry.policy(client_id, allow("iot:*", "*"))
    changing.registry.certificate(client_id, mine, [client_id])
    with wait_until(lambda: connected(changing, client_id, mine), "connection"):
        changed(client_id, 200)
        file = f"{client_id}.json"
        changing.registry.write(f"policies/{file}", '{"Version": "2012-10-17", "Statement": [}')
        wait_until(lambda: is_reported(changing, file), "a word about the broken file", 20)
        changed(client_id, 200)
        # Another file's change still counts, or at the latest once the broken one is mended.
        changing.registry.policy(client_id, allow("iot:Connect", "*"))
        changed(client_id, 403, "RECEIVE_AUTHORIZATION_FAILURE")


def is_reported(server, file):
    """Whether the log names the file as broken."""
    broken = server.log.entries(eventType="RegistryReload", status="Failure")
    return any(file in entry["details"] for entry in broken)


def test_a_key_that_is_taken_away_is_refused(changing):
    mine = Credentials("AKIAE2ECHANGING00001", "a secret for a while")
    changing.registry.sender("changing", mine, ["admin"])
    with RawSender(changing, mine, "http") as sender:
        wait_until(lambda: sender.send("nobody", TOPIC).status == 404, "the new key", 20, 0.2)
        changing.registry.remove("senders/changing.toml")
        wait_until(lambda: sender.send("nobody", TOPIC).status == 403, "its end", 20, 0.2)
        assert sender.send("nobody", TOPIC).reason == "SECURITY_TOKEN_INVALID"


def test_a_certificate_that_is_revoked_is_dropped_on_its_next_connection(
    changing, tmp_path, client_id
):
    mine = certificates.make(tmp_path, client_id)
    changing.registry.policy(client_id, allow("iot:*", "*"))
    changing.registry.certificate(client_id, mine, [client_id])
    wait_until(lambda: connected(changing, client_id, mine), "connection").close()
    changing.registry.certificate(client_id, mine, [client_id], status="REVOKED")

    def is_refused():
        device = connected(changing, client_id, mine)
        if device:
            device.close()
        return device is None

    wait_until(is_refused, "the refusal", seconds=20, pause=1.1)
    changing.log.wait_for(eventType="Connection.AuthNError", reason="DEVICE_CERTIFICATE_REVOKED")


def test_variables_of_things_and_certificates(changing, tmp_path, client_id, changed):
    """The thing whose name is the client ID: its attributes count in the device's policies."""
    mine = certificates.make(tmp_path, client_id)
    changing.registry.thing(client_id, "lamp", floor="second")
    changing.registry.policy(
        client_id,
        allow("iot:Connect", "client/${iot:Connection.Thing.ThingName}"),
        allow("iot:Receive", "topic/e2e/${iot:Connection.Thing.Attributes[floor]}/*"),
    )
    changing.registry.certificate(client_id, mine, [client_id], things=[client_id])
    with wait_until(lambda: connected(changing, client_id, mine), "connection", 20, 0.5):
        boto = BotoSender(changing, changing.admin)
        check(boto.send(client_id, "e2e/second/lamp"), changing.log, 200)
        answer = boto.refused("ForbiddenException", client_id, "e2e/first/lamp")
        check(answer, changing.log, 403, "RECEIVE_AUTHORIZATION_FAILURE")
