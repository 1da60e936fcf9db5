"""Certificate authorities through the API: who vouches for certificates that were made elsewhere."""

import json

from cryptography.hazmat.primitives.asymmetric import ec

from harness import packets
from harness.certificates import Authority
from harness.control import Control
from harness.registry import ARN
from harness.wire_device import WireDevice, try_connect


def test_a_registered_authority_vouches_for_certificates(control, server, client_id, allowing,
                                                         tmp_path):
    authority = Authority.make(client_id)
    mine = authority.sign(tmp_path, client_id)
    pem = mine.cert.read_text()
    control.refused("CertificateValidationException", "register_certificate", certificatePem=pem)
    name = control.authority(authority)
    control.refused("CertificateStateException", "register_certificate", certificatePem=pem)
    control("update_ca_certificate", certificateId=name, newStatus="ACTIVE")
    made = control("register_certificate", certificatePem=pem, caCertificatePem=authority.pem,
                   setAsActive=True)
    control.refused("ResourceAlreadyExistsException", "register_certificate", certificatePem=pem)
    control("attach_policy", policyName=allowing, target=made["certificateArn"])
    WireDevice.connected(server, client_id, mine).close()
    told = control("describe_certificate", certificateId=made["certificateId"])
    assert told["certificateDescription"]["caCertificateId"] == name
    listed, _ = control.pages("list_certificates_by_ca", "certificates", caCertificateId=name)
    assert [c["certificateId"] for c in listed] == [made["certificateId"]]
    # Another one with the same name and another key has signed nothing.
    forged = Authority.make(client_id).sign(tmp_path, "forged").cert.read_text()
    control.refused("CertificateValidationException", "register_certificate", certificatePem=forged)
    told = control("describe_ca_certificate", certificateId=name)["certificateDescription"]
    assert (told["status"], told["autoRegistrationStatus"]) == ("ACTIVE", "DISABLE")
    assert told["certificateMode"] == "DEFAULT" and told["ownedBy"] == "123456789012"
    control.refused("CertificateStateException", "delete_ca_certificate", certificateId=name)
    control("update_ca_certificate", certificateId=name, newStatus="INACTIVE")
    # What it has vouched for stays.
    WireDevice.connected(server, client_id, mine).close()
    control("delete_ca_certificate", certificateId=name)
    control.refused("ResourceNotFoundException", "describe_ca_certificate", certificateId=name)


def test_two_authorities_with_one_key_are_a_conflict(control, client_id, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    first, second = Authority.make(client_id, key), Authority.make(client_id, key)
    for authority in (first, second):
        control.authority(authority, setAsActive=True)
    pem = first.sign(tmp_path, client_id).cert.read_text()
    control.refused("CertificateConflictException", "register_certificate", certificatePem=pem)
    made = control("register_certificate", certificatePem=pem, caCertificatePem=second.pem)
    told = control("describe_certificate", certificateId=made["certificateId"])
    assert told["certificateDescription"]["caCertificateId"] == second.certificate_id


def test_an_authority_is_registered_with_proof_only(control, client_id):
    authority, other = Authority.make(client_id), Authority.make(client_id)
    code = control("get_registration_code")["registrationCode"]
    assert len(code) == 64 and control("get_registration_code")["registrationCode"] == code
    register = {"caCertificate": authority.pem}
    control.refused("InvalidRequestException", "register_ca_certificate", **register)
    control.refused("InvalidRequestException", "register_ca_certificate", **register,
                    verificationCertificate=authority.proof(code), certificateMode="ODD")
    control.refused("CertificateValidationException", "register_ca_certificate", **register,
                    verificationCertificate=other.proof(code))
    control.refused("RegistrationCodeValidationException", "register_ca_certificate", **register,
                    verificationCertificate=authority.proof("f" * 64))
    control.refused("CertificateValidationException", "register_ca_certificate",
                    caCertificate="nonsense", verificationCertificate=authority.proof(code))
    leaf = Authority.make(client_id, authority=False)
    control.refused("CertificateValidationException", "register_ca_certificate",
                    caCertificate=leaf.pem, verificationCertificate=leaf.proof(code))
    control.refused("ResourceNotFoundException", "register_ca_certificate", **register,
                    verificationCertificate=authority.proof(code),
                    registrationConfig={"templateName": "mine"})
    control.authority(authority)
    response = control.refused("ResourceAlreadyExistsException", "register_ca_certificate",
                               **register, verificationCertificate=authority.proof(code))
    assert response["resourceArn"] == f"{ARN}cacert/{authority.certificate_id}"
    # Without proof, under a mode that says so, and then without any.
    control.refused("InvalidRequestException", "register_ca_certificate", caCertificate=other.pem,
                    verificationCertificate=other.proof(code), certificateMode="SNI_ONLY")
    made = control("register_ca_certificate", caCertificate=other.pem, certificateMode="SNI_ONLY")
    told = control("describe_ca_certificate", certificateId=made["certificateId"])
    assert told["certificateDescription"]["certificateMode"] == "SNI_ONLY"
    for _ in range(8):
        control("register_ca_certificate", caCertificate=Authority.make(client_id).pem,
                certificateMode="SNI_ONLY")
    control.refused("LimitExceededException", "register_ca_certificate",
                    caCertificate=Authority.make(client_id).pem, certificateMode="SNI_ONLY")
    listed, pages = control.pages("list_ca_certificates", "certificates", pageSize=4)
    assert {authority.certificate_id, other.certificate_id} <= {c["certificateId"] for c in listed}
    assert pages >= 3


def test_the_registration_code_can_be_taken_back(start):
    server = start("registration-code")
    try:
        control = Control(server)
        control.refused("ResourceNotFoundException", "delete_registration_code")
        code = control("get_registration_code")["registrationCode"]
        control("delete_registration_code")
        assert control("get_registration_code")["registrationCode"] != code
    finally:
        assert server.stop() == 0


def test_a_certificate_registers_itself_if_its_authority_allows(control, server, client_id, allowing,
                                                                log, tmp_path):
    authority = Authority.make(client_id)
    name = control.authority(authority, setAsActive=True)
    mine = authority.sign(tmp_path, client_id)
    assert try_connect(server, client_id, mine) is None
    control.refused("ResourceNotFoundException", "describe_certificate",
                    certificateId=mine.certificate_id)
    control("update_ca_certificate", certificateId=name, newAutoRegistrationStatus="ENABLE")
    watcher = WireDevice.connected(server, f"{client_id}-watcher",
                                   control.device(tmp_path, "watcher", allowing))
    watcher.send(packets.subscribe([(f"$aws/events/certificates/registered/{name}", 0)], 1, 5))
    assert watcher.expect("SUBACK").reasons(5) == [0]
    mark = log.mark()
    assert try_connect(server, client_id, mine) is None
    told = json.loads(watcher.message().payload)
    assert (told["certificateId"], told["caCertificateId"]) == (mine.certificate_id, name)
    assert told["certificateStatus"] == "PENDING_ACTIVATION"
    watcher.close()
    entry = log.wait_since(mark, eventType="Connection.AuthNError",
                           principalId=mine.certificate_id)
    assert entry["reason"] == "DEVICE_CERTIFICATE_INACTIVE"
    assert "PENDING_ACTIVATION" in entry["details"]
    control("attach_policy", policyName=allowing, target=f"{ARN}cert/{mine.certificate_id}")
    control("update_certificate", certificateId=mine.certificate_id, newStatus="ACTIVE")
    WireDevice.connected(server, client_id, mine).close()
    # One that another key signed in its name is not registered.
    forged = Authority.make(client_id).sign(tmp_path, f"{client_id}-forged")
    assert try_connect(server, client_id, forged) is None
    control.refused("ResourceNotFoundException", "describe_certificate",
                    certificateId=forged.certificate_id)
