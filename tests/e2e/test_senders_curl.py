"""Senders that are the curl command: the announcement's, and curl's own SigV4."""

import json
import subprocess

import pytest

from harness.answer import check, check_shape
from harness.certificates import Certificate
from harness.commands import curl

REBOOT = '{"action": "reboot"}'
PATH = "/connections/myDevice/messages?topic=commands%2Freboot&confirmation=true&timeout=10"


@pytest.fixture
def gateway(people):
    """Options for a client certificate that may send."""
    return ["--cert", people.gateway.cert, "--key", people.gateway.key]


@pytest.fixture
def device(server, paho, my_device):
    """myDevice, connected with the certificate that `tenfour dev` made."""
    return paho("myDevice", certificate=Certificate(*my_device))


def test_the_announcements_command(server, device, gateway, log, people):
    answer, _ = curl(server, "--tlsv1.2", *gateway, "--request", "POST", "--data", REBOOT,
                     server.url("https_x509", PATH))
    entry = check(answer, log, 200, clientId="myDevice", topicName="commands/reboot",
                  confirmation=True, timeout=10)
    assert entry["principalId"] == people.gateway.certificate_id
    assert device.message().payload == REBOOT.encode()


def test_the_announcements_command_with_a_device_that_may_not_send(server, device, people, log):
    answer, _ = curl(server, "--cert", people.fleet.cert, "--key", people.fleet.key, "--request",
                     "POST", "--data", REBOOT, server.url("https_x509", PATH))
    check(answer, log, 403, "SENDER_AUTHORIZATION_FAILURE")


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_each_http_version_with_a_client_certificate(server, device, gateway, log, version):
    answer, used = curl(server, version, *gateway, "--request", "POST", "--data", REBOOT,
                        server.url("https_x509", PATH))
    check(answer, log, 200)
    assert used == ("2" if version == "--http2" else "1.1")


@pytest.mark.parametrize("service", ["iotdata", "iotdevicegateway"])
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curls_own_sigv4(server, device, log, service, version):
    # The parameters are in the order of the canonical query, which this curl does not sort.
    path = "/connections/myDevice/messages?confirmation=true&timeout=10&topic=commands%2Freboot"
    key = server.ready["sender"]
    answer, _ = curl(
        server, version, "--aws-sigv4", f"aws:amz:{server.region}:{service}",
        "--user", f"{key['access_key_id']}:{key['secret_access_key']}",
        "--request", "POST", "--data", REBOOT, server.url("https", path),
    )
    check(answer, log, 200)
    assert device.message().payload == REBOOT.encode()


def test_a_payload_from_a_file_arrives_byte_for_byte(server, device, gateway, tmp_path):
    payload = bytes(range(256)) * 500
    file = tmp_path / "payload"
    file.write_bytes(payload)
    curl(server, *gateway, "--request", "POST", "--data-binary", f"@{file}",
         server.url("https_x509", PATH))
    assert device.message().payload == payload


def test_without_a_client_certificate_there_is_no_sender(server):
    done = subprocess.run(
        ["curl", "--silent", "--cacert", server.ca, "--request", "POST", "--max-time", "30",
         "--write-out", "\n%{http_code}", server.url("https_x509", PATH)],
        capture_output=True, timeout=60,
    )
    body, _, status = done.stdout.rpartition(b"\n")
    # Either the handshake fails, or the request is refused.
    assert status in (b"000", b"403"), done.stdout
    if status == b"403":
        assert json.loads(body)["reason"] == "NOT_AUTHENTICATED"


def test_the_open_listener_takes_requests_without_credentials(open_server):
    url = open_server.url("http", "/connections/nobody/messages?topic=e2e%2Fa")
    answer, _ = curl(open_server, "--request", "POST", "--data", REBOOT, url)
    check_shape(answer, 404, "TARGET_CLIENT_ID_NOT_FOUND")
