"""The life of a certificate through the API: made or registered, switched on and off, taken back."""

import concurrent.futures
import json
import re
import ssl

import pytest
from awsiot import mqtt5_client_builder
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from harness import certificates, packets
from harness.certificates import Authority, signing_request
from harness.commands import aws
from harness.control import Control
from harness.patience import wait_until
from harness.population import NARROW
from harness.registry import ARN, allow
from harness.sdk_device import Sdk5
from harness.senders import RawSender
from harness.server import Server, copy_folder
from harness.wire_device import WireDevice, try_connect

NOBODY = "0" * 64


def test_a_key_pair_and_a_certificate_for_it_are_made(control, server):
    made = control("create_keys_and_certificate", setAsActive=True)
    pem = made["certificatePem"]
    certificate = x509.load_pem_x509_certificate(pem.encode())
    der = ssl.PEM_cert_to_DER_cert(pem)
    assert made["certificateId"] == certificate.fingerprint(hashes.SHA256()).hex()
    assert made["certificateArn"] == f"{ARN}cert/{made['certificateId']}"
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert [name.value for name in names] == ["AWS IoT Certificate"]
    assert certificate.not_valid_after_utc.year == 2049
    private = made["keyPair"]["PrivateKey"]
    assert private.startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    key = serialization.load_pem_private_key(private.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey) and key.key_size == 2048
    public = serialization.load_pem_public_key(made["keyPair"]["PublicKey"].encode())
    assert public == key.public_key() == certificate.public_key()
    signature = key.sign(b"x", padding.PKCS1v15(), hashes.SHA256())
    certificate.public_key().verify(signature, b"x", padding.PKCS1v15(), hashes.SHA256())
    told = control("describe_certificate", certificateId=made["certificateId"].upper())
    told = told["certificateDescription"]
    assert ssl.PEM_cert_to_DER_cert(told["certificatePem"]) == der
    assert (told["status"], told["certificateMode"]) == ("ACTIVE", "DEFAULT")
    assert told["ownedBy"] == "123456789012" and told["customerVersion"] == 1
    assert told["validity"]["notAfter"] == certificate.not_valid_after_utc
    assert "caCertificateId" not in told
    # The key is nowhere but in the answer.
    secret = "".join(private.splitlines()[1:3]).encode()
    for path in server.folder.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes().replace(b"\n", b""), path


def test_two_certificates_have_the_same_issuer(control):
    issuers = {
        x509.load_pem_x509_certificate(
            control("create_keys_and_certificate")["certificatePem"].encode()).issuer
        for _ in range(2)
    }
    assert len(issuers) == 1


def test_a_device_of_the_sdk_connects_with_what_was_made(control, server, client_id, allowing,
                                                          tmp_path):
    mine = control.device(tmp_path, client_id, allowing)

    def build(**options):
        return mqtt5_client_builder.mtls_from_path(
            endpoint="localhost", port=server.port("mqtts"), ca_filepath=server.ca,
            cert_filepath=str(mine.cert), pri_key_filepath=str(mine.key),
            client_id=client_id, **options)

    with Sdk5(build) as device:
        device.subscribe("e2e/made")
        device.publish("e2e/made", b"hello")
        assert device.message().payload == b"hello"


@pytest.mark.parametrize("kind", ["rsa", "p256", "p384"])
def test_a_certificate_is_made_for_a_key_of_ones_own(control, server, client_id, allowing, kind,
                                                     tmp_path):
    key = {
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    }[kind]()
    made = control("create_certificate_from_csr", setAsActive=True,
                   certificateSigningRequest=signing_request(key))
    assert "keyPair" not in made
    control("attach_policy", policyName=allowing, target=made["certificateArn"])
    mine = certificates.Certificate(tmp_path / "cert.pem", tmp_path / "private.key")
    mine.cert.write_text(made["certificatePem"])
    mine.key.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    WireDevice.connected(server, client_id, mine).close()


def test_two_certificates_for_one_key_have_serial_numbers_of_their_own(control):
    request = signing_request(ec.generate_private_key(ec.SECP256R1()))
    made = [control("create_certificate_from_csr", certificateSigningRequest=request)
            for _ in range(2)]
    serials = {x509.load_pem_x509_certificate(one["certificatePem"].encode()).serial_number
               for one in made}
    assert len(serials) == 2 and all(0 < serial < 2**159 for serial in serials)


def test_a_bad_signing_request_says_why(control):
    good = signing_request(ec.generate_private_key(ec.SECP256R1()))
    der = bytearray(x509.load_pem_x509_csr(good.encode()).public_bytes(
        serialization.Encoding.DER))
    der[-1] ^= 1
    tampered = ssl.DER_cert_to_PEM_cert(bytes(der)).replace("CERTIFICATE", "CERTIFICATE REQUEST")
    short = signing_request(rsa.generate_private_key(65537, 1024))
    curve = signing_request(ec.generate_private_key(ec.SECP256K1()))
    for request, why in (
        ("nonsense", "BEGIN CERTIFICATE REQUEST"),
        (good[:-40], "damaged"),
        (tampered, "does not match"),
        (short, "2048"),
        (curve, "P-256"),
        ("x" * 4097, "4096"),
        (None, "certificateSigningRequest"),
    ):
        response = control.refused("InvalidRequestException", "create_certificate_from_csr",
                                   **({"certificateSigningRequest": request} if request else {}))
        assert why in response["Error"]["Message"], response["Error"]["Message"]


def test_the_status_counts_within_a_second_on_live_connections(control, server, client_id, allowing,
                                                                log, tmp_path):
    watcher = WireDevice.connected(server, f"{client_id}-watcher",
                                   control.device(tmp_path, "watcher", allowing))
    watcher.send(packets.subscribe([(f"$aws/events/presence/disconnected/{client_id}", 0)], 1, 5))
    assert watcher.expect("SUBACK").reasons(5) == [0]
    for status, sentence in (("INACTIVE", "inactive"), ("REVOKED", "revoked")):
        mine = control.device(tmp_path, client_id, allowing)
        device = try_connect(server, client_id, mine)
        other = WireDevice.connected(server, f"{client_id}-other",
                                     control.device(tmp_path, "other", allowing))
        mark = log.mark()
        control("update_certificate", certificateId=mine.certificate_id, newStatus=status)
        packet = device.expect("DISCONNECT")
        assert packet.reason() == 0x87
        assert sentence in packet.properties()["reason_string"]
        entry = log.wait_since(mark, eventType="Disconnect", clientId=client_id)
        assert entry["disconnectReason"] == "AUTH_ERROR" and sentence in entry["details"]
        told = json.loads(watcher.message().payload)
        assert (told["disconnectReason"], told["clientInitiatedDisconnect"]) == ("AUTH_ERROR", False)
        assert told["principalIdentifier"] == mine.certificate_id
        assert try_connect(server, client_id, mine) is None
        reason = f"DEVICE_CERTIFICATE_{status}"
        log.wait_since(mark, eventType="Connection.AuthNError", reason=reason,
                       principalId=mine.certificate_id)
        # Nobody else is disturbed.
        other.send(packets.PINGREQ)
        other.expect("PINGRESP")
        other.close()
        told = control("describe_certificate", certificateId=mine.certificate_id)
        assert told["certificateDescription"]["status"] == status
        assert told["certificateDescription"]["customerVersion"] == 2
        if status == "INACTIVE":
            control("update_certificate", certificateId=mine.certificate_id, newStatus="ACTIVE")
            try_connect(server, client_id, mine).close()
            watcher.message()
        else:
            control.refused("CertificateStateException", "update_certificate",
                            certificateId=mine.certificate_id, newStatus="ACTIVE")
    watcher.close()


@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED"])
def test_the_status_counts_for_a_kept_https_connection(control, server, client_id, allowing, log,
                                                       tmp_path, status):
    mine = control.device(tmp_path, client_id, allowing)
    with RawSender(server, listener="https_x509", certificate=mine) as sender:
        assert sender.request("POST", f"/topics/{client_id}").status == 200
        mark = log.mark()
        control("update_certificate", certificateId=mine.certificate_id, newStatus=status)
        answer = sender.request("POST", f"/topics/{client_id}")
        assert (answer.status, answer.reason) == (403, f"DEVICE_CERTIFICATE_{status}")
        entry = log.wait_since(mark, eventType="Connection.AuthNError", traceId=answer.trace_id)
        assert entry["principalId"] == mine.certificate_id


def test_a_certificate_is_deleted_once_nothing_holds_it(control, server, client_id, allowing,
                                                        tmp_path):
    mine = control.device(tmp_path, client_id, allowing)
    name, target = mine.certificate_id, f"{ARN}cert/{mine.certificate_id}"
    control.refused("CertificateStateException", "delete_certificate", certificateId=name)
    control("update_certificate", certificateId=name, newStatus="INACTIVE")
    control.refused("DeleteConflictException", "delete_certificate", certificateId=name)
    control("detach_policy", policyName=allowing, target=target)
    control("delete_certificate", certificateId=name)
    control.refused("ResourceNotFoundException", "describe_certificate", certificateId=name)
    assert try_connect(server, client_id, mine) is None
    # With force the policies need not be detached.
    mine = control.device(tmp_path, client_id, allowing, active=False)
    control("delete_certificate", certificateId=mine.certificate_id, forceDelete=True)
    control("delete_policy", policyName=allowing)


def test_a_certificate_is_registered_by_its_fingerprint(control, server, client_id, allowing,
                                                        tmp_path):
    mine = certificates.make(tmp_path, client_id)
    pem = mine.cert.read_text()
    made = control("register_certificate_without_ca", certificatePem=pem, status="ACTIVE")
    assert made == {"certificateId": mine.certificate_id,
                    "certificateArn": f"{ARN}cert/{mine.certificate_id}"}
    response = control.refused("ResourceAlreadyExistsException", "register_certificate_without_ca",
                               certificatePem=pem)
    assert response["resourceId"] == mine.certificate_id
    assert response["resourceArn"] == made["certificateArn"]
    control("attach_policy", policyName=allowing, target=made["certificateArn"])
    WireDevice.connected(server, client_id, mine).close()
    told = control("describe_certificate", certificateId=mine.certificate_id)
    assert told["certificateDescription"]["certificateMode"] == "SNI_ONLY"


@pytest.mark.parametrize("operation", ["register_certificate", "register_certificate_without_ca"])
def test_what_is_no_certificate_is_not_registered(control, operation, client_id, tmp_path):
    expired = Authority.make(client_id).sign(tmp_path, "expired", days=-1).cert.read_text()
    good = certificates.make(tmp_path, client_id).cert.read_text()
    for pem in ("nonsense", good[:200], expired, (tmp_path / f"{client_id}.private.key").read_text()):
        control.refused("CertificateValidationException", operation, certificatePem=pem)
    for status in ("REVOKED", "PENDING_TRANSFER", "PENDING_ACTIVATION", "REGISTER_INACTIVE"):
        control.refused("CertificateStateException", operation, certificatePem=good, status=status)
    control.refused("InvalidRequestException", operation, certificatePem=good, status="ON")
    control.refused("InvalidRequestException", operation)
    control.refused("InvalidRequestException", operation, certificatePem="x" * 65537)


def test_a_certificate_ends_with_its_time(control, server, client_id, allowing, log, tmp_path):
    authority = Authority.make(client_id)
    brief = authority.sign(tmp_path, client_id, days=8 / 86_400)
    made = control("register_certificate_without_ca", certificatePem=brief.cert.read_text(),
                   status="ACTIVE")
    control("attach_policy", policyName=allowing, target=made["certificateArn"])
    device = WireDevice.connected(server, client_id, brief)
    mark = log.mark()
    packet = device.expect("DISCONNECT")
    assert packet.reason() == 0x87 and "expired" in packet.properties()["reason_string"]
    entry = log.wait_since(mark, eventType="Disconnect", clientId=client_id)
    assert "expired" in entry["details"]
    assert try_connect(server, client_id, brief) is None
    log.wait_since(mark, eventType="Connection.AuthNError", reason="DEVICE_CERTIFICATE_EXPIRED",
                   principalId=brief.certificate_id)


def test_certificates_of_files_are_read_and_not_written(control, people, server):
    name = people.fleet.certificate_id
    told = control("describe_certificate", certificateId=name)["certificateDescription"]
    assert (told["status"], told["certificateId"]) == ("ACTIVE", name)
    source = control.answer.json["certificateDescription"]["source"]
    assert source == f"file:{server.folder}/registry/certificates/fleet.toml"
    pem = people.fleet.cert.read_text()
    response = control.refused("ResourceAlreadyExistsException", "register_certificate_without_ca",
                               certificatePem=pem)
    assert "certificates/fleet.toml" in response["Error"]["Message"]
    for operation, parameters in (
        ("update_certificate", {"certificateId": name, "newStatus": "INACTIVE"}),
        ("delete_certificate", {"certificateId": name}),
        ("attach_policy", {"policyName": "fleet", "target": f"{ARN}cert/{name}"}),
        ("detach_policy", {"policyName": "fleet", "target": f"{ARN}cert/{name}"}),
    ):
        response = control.refused("InvalidRequestException", operation, **parameters)
        assert "certificates/fleet.toml" in response["Error"]["Message"]


def test_lists_come_in_pages_by_age(control):
    made = [control("create_keys_and_certificate")["certificateId"] for _ in range(5)]
    for ascending in (True, False):
        listed, pages = control.pages("list_certificates", "certificates", pageSize=3,
                                      ascendingOrder=ascending)
        mine = [c["certificateId"] for c in listed if c["certificateId"] in made]
        assert mine == (made if ascending else made[::-1])
        assert pages == -(-len(listed) // 3)
    entry = next(c for c in listed if c["certificateId"] == made[0])
    assert (entry["status"], entry["certificateMode"]) == ("INACTIVE", "DEFAULT")


CERTIFICATE_CALLS = [
    ("create_keys_and_certificate", {}),
    ("create_certificate_from_csr",
     {"certificateSigningRequest": signing_request(ec.generate_private_key(ec.SECP256R1()))}),
    ("register_certificate", {"certificatePem": "x"}),
    ("register_certificate_without_ca", {"certificatePem": "x"}),
    ("register_ca_certificate", {"caCertificate": "x", "certificateMode": "SNI_ONLY"}),
    ("update_certificate", {"certificateId": NOBODY, "newStatus": "ACTIVE"}),
    ("describe_certificate", {"certificateId": NOBODY}),
    ("list_certificates", {}),
    ("list_certificates_by_ca", {"caCertificateId": NOBODY}),
    ("delete_certificate", {"certificateId": NOBODY}),
    ("describe_ca_certificate", {"certificateId": NOBODY}),
    ("list_ca_certificates", {}),
    ("update_ca_certificate", {"certificateId": NOBODY, "newStatus": "ACTIVE"}),
    ("delete_ca_certificate", {"certificateId": NOBODY}),
    ("get_registration_code", {}),
    ("delete_registration_code", {}),
]


@pytest.mark.parametrize(("operation", "parameters"), CERTIFICATE_CALLS)
def test_whoever_may_not_is_unauthorized(server, operation, parameters):
    Control(server, NARROW).refused("UnauthorizedException", operation, **parameters)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [call for call in CERTIFICATE_CALLS if call[1].get("certificateId") == NOBODY],
)
def test_what_is_not_there_is_not_found(control, operation, parameters):
    control.refused("ResourceNotFoundException", operation, **parameters)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_keys_and_certificate", {"setAsActive": "maybe"}),
        ("update_certificate", {"certificateId": NOBODY, "newStatus": "PENDING_TRANSFER"}),
        ("update_certificate", {"certificateId": NOBODY, "newStatus": "PENDING_ACTIVATION"}),
        ("update_certificate", {"certificateId": NOBODY}),
        ("update_certificate", {"certificateId": "abc", "newStatus": "ACTIVE"}),
        ("describe_certificate", {"certificateId": "abc"}),
        ("delete_certificate", {"certificateId": "abc"}),
        ("list_certificates", {"pageSize": 251}),
        ("list_certificates", {"marker": "nonsense"}),
        ("list_certificates_by_ca", {"caCertificateId": "abc"}),
        ("describe_ca_certificate", {"certificateId": "abc"}),
        ("update_ca_certificate", {"certificateId": NOBODY, "newStatus": "REVOKED"}),
        ("update_ca_certificate", {"certificateId": NOBODY, "newAutoRegistrationStatus": "ON"}),
        ("update_ca_certificate", {"certificateId": NOBODY,
                                   "registrationConfig": {"templateName": "a"}}),
        ("delete_ca_certificate", {"certificateId": "abc"}),
        ("list_ca_certificates", {"pageSize": -1}),
    ],
)
def test_what_makes_no_sense_is_an_invalid_request(control, operation, parameters):
    control.refused("InvalidRequestException", operation, **parameters)


def test_of_registrations_at_once_one_wins(server, client_id, tmp_path):
    pem = certificates.make(tmp_path, client_id).cert.read_text()

    def register(_):
        control = Control(server)
        try:
            control("register_certificate_without_ca", certificatePem=pem)
        except control.client.exceptions.ResourceAlreadyExistsException:
            return "exists"
        return "made"

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(register, range(8))) == ["exists"] * 7 + ["made"]


def test_many_key_pairs_at_once_hold_nobody_up(server, control, client_id, allowing, tmp_path):
    mine = control.device(tmp_path, client_id, allowing)

    def make(_):
        return Control(server)("create_keys_and_certificate")["certificateId"]

    with WireDevice.connected(server, client_id, mine) as device, \
            concurrent.futures.ThreadPoolExecutor(8) as threads:
        made = threads.map(make, range(24))
        device.send(packets.PINGREQ)
        device.expect("PINGRESP")
        assert len(set(made)) == 24


def test_the_aws_command_makes_and_switches_certificates(server, tmp_path):
    pem = tmp_path / "cert.pem"
    done = aws(server, server.admin, "create-keys-and-certificate", "--set-as-active",
               "--certificate-pem-outfile", str(pem), service="iot")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert pem.read_text() == made["certificatePem"]
    name = ["--certificate-id", made["certificateId"]]
    done = aws(server, server.admin, "update-certificate", *name, "--new-status", "INACTIVE",
               service="iot")
    assert done.returncode == 0, done.stderr
    done = aws(server, server.admin, "describe-certificate", *name, service="iot")
    told = json.loads(done.stdout)["certificateDescription"]
    assert told["status"] == "INACTIVE"
    done = aws(server, server.admin, "list-certificates", service="iot")
    assert made["certificateId"] in done.stdout
    done = aws(server, server.admin, "delete-certificate", *name, service="iot")
    assert done.returncode == 0, done.stderr
    done = aws(server, server.admin, "describe-certificate", *name, service="iot")
    assert done.returncode != 0 and "ResourceNotFoundException" in done.stderr


def test_what_was_answered_is_there_after_a_kill(template, client_id, tmp_path):
    server = Server(copy_folder(template, tmp_path / "data"))
    control = Control(server)
    control.policy("all", allow("iot:*", "*"))
    authority = Authority.make(client_id)
    control.authority(authority, setAsActive=True)
    signed = authority.sign(tmp_path, "signed")
    control("register_certificate", certificatePem=signed.cert.read_text(), status="ACTIVE")
    control("attach_policy", policyName="all", target=f"{ARN}cert/{signed.certificate_id}")
    made = control.device(tmp_path, "made", "all")
    revoked = control.device(tmp_path, "revoked", "all")
    control("update_certificate", certificateId=revoked.certificate_id, newStatus="REVOKED")
    code = control("get_registration_code")
    issuer = x509.load_pem_x509_certificate(made.cert.read_bytes()).issuer
    server.process.kill()
    server.process.wait(10)
    server = Server(server.folder)
    try:
        control = Control(server)
        for certificate in (signed, made):
            WireDevice.connected(server, client_id, certificate).close()
        assert try_connect(server, client_id, revoked) is None
        assert control("get_registration_code") == code
        told = control("describe_certificate", certificateId=signed.certificate_id)
        assert told["certificateDescription"]["caCertificateId"] == authority.certificate_id
        again = control("create_keys_and_certificate")["certificatePem"]
        assert x509.load_pem_x509_certificate(again.encode()).issuer == issuer
        another = authority.sign(tmp_path, "another").cert.read_text()
        control("register_certificate", certificatePem=another)
    finally:
        assert server.stop() == 0


def test_a_certificate_switched_off_in_a_file_loses_its_connection(start, client_id, tmp_path):
    server = start("switched-off")
    try:
        mine = certificates.make(tmp_path, client_id)
        server.registry.policy(client_id, allow("iot:*", "*"))
        server.registry.certificate(client_id, mine, [client_id])
        device = wait_until(lambda: try_connect(server, client_id, mine), "the certificate",
                            seconds=20, pause=0.3)
        server.registry.certificate(client_id, mine, [client_id], status="INACTIVE")
        assert device.expect("DISCONNECT").reason() == 0x87
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("status", ["ACTIVE", "REVOKED"])
def test_a_file_that_comes_to_say_more_of_its_certificate_ends_its_connection(start, client_id,
                                                                             tmp_path, status):
    """Whoever is somebody else to policies from now on must not go on as before."""
    server = start(f"says-more-{status}")
    try:
        mine = certificates.make(tmp_path, client_id)
        server.registry.policy(client_id, allow("iot:*", "*"))
        server.registry.write(f"certificates/{client_id}.toml",
                              f'id = "{mine.certificate_id}"\npolicies = ["{client_id}"]\n')
        device = wait_until(lambda: try_connect(server, client_id, mine), "the certificate",
                            seconds=20, pause=0.3)
        server.registry.certificate(client_id, mine, [client_id], status=status)
        assert device.expect("DISCONNECT").reason() == 0x87
        again = try_connect(server, client_id, mine)
        assert (again is not None) == (status == "ACTIVE")
    finally:
        assert server.stop() == 0


def test_a_plain_listener_follows_the_file_of_its_principal(start, client_id, tmp_path):
    server = start("plain-principal")
    try:
        file = server.registry.folder / "certificates" / "myDevice.toml"
        before = file.read_text()
        WireDevice.connected(server, "myDevice", listener="mqtt").close()
        renewed = certificates.make(tmp_path, client_id)
        after = re.sub(r"(?m)^certificate *=.*$", f'certificate = "{renewed.cert}"', before)
        inactive = after.replace('"ACTIVE"', '"INACTIVE"', 1)
        for text, welcome in ((after, True), (inactive, False), (before, True)):
            mark = server.log.mark()
            server.registry.write("certificates/myDevice.toml", text)
            server.log.wait_since(mark, seconds=20, eventType="RegistryReload", status="Success")
            device = try_connect(server, "myDevice", listener="mqtt")
            assert (device is not None) == welcome, text
            if device:
                device.close()
    finally:
        assert server.stop() == 0
