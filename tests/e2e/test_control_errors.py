"""The errors that every operation of the control plane has, whatever it is asked."""

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec

from harness import certificates
from harness.certificates import Authority, signing_request
from harness.control import Control, document
from harness.patience import wait_until
from harness.registry import ARN, allow
from harness.senders import BotoSender
from harness.server import Server, copy_folder

NOBODY = "0" * 64
ANY = document(allow("iot:*", "*"))
CSR = signing_request(ec.generate_private_key(ec.SECP256R1()))
TARGET = f"{ARN}cert/{NOBODY}"

EVERY = [
    ("create_keys_and_certificate", {}),
    ("create_certificate_from_csr", {"certificateSigningRequest": CSR}),
    ("register_certificate", {"certificatePem": "x"}),
    ("register_certificate_without_ca", {"certificatePem": "x"}),
    ("update_certificate", {"certificateId": NOBODY, "newStatus": "ACTIVE"}),
    ("describe_certificate", {"certificateId": NOBODY}),
    ("list_certificates", {}),
    ("list_certificates_by_ca", {"caCertificateId": NOBODY}),
    ("delete_certificate", {"certificateId": NOBODY}),
    ("register_ca_certificate", {"caCertificate": "x", "certificateMode": "SNI_ONLY"}),
    ("describe_ca_certificate", {"certificateId": NOBODY}),
    ("list_ca_certificates", {}),
    ("update_ca_certificate", {"certificateId": NOBODY, "newStatus": "ACTIVE"}),
    ("delete_ca_certificate", {"certificateId": NOBODY}),
    ("get_registration_code", {}),
    ("delete_registration_code", {}),
    ("create_policy", {"policyName": "p", "policyDocument": ANY}),
    ("create_policy_version", {"policyName": "none", "policyDocument": ANY}),
    ("get_policy", {"policyName": "none"}),
    ("get_policy_version", {"policyName": "none", "policyVersionId": "1"}),
    ("set_default_policy_version", {"policyName": "none", "policyVersionId": "1"}),
    ("list_policies", {}),
    ("list_policy_versions", {"policyName": "none"}),
    ("delete_policy", {"policyName": "none"}),
    ("delete_policy_version", {"policyName": "none", "policyVersionId": "1"}),
    ("attach_policy", {"policyName": "none", "target": TARGET}),
    ("detach_policy", {"policyName": "none", "target": TARGET}),
    ("list_attached_policies", {"target": TARGET}),
    ("list_targets_for_policy", {"policyName": "none"}),
    ("create_thing", {"thingName": "none"}),
    ("describe_thing", {"thingName": "none"}),
    ("update_thing", {"thingName": "none"}),
    ("delete_thing", {"thingName": "none"}),
    ("list_things", {}),
    ("attach_thing_principal", {"thingName": "none", "principal": TARGET}),
    ("detach_thing_principal", {"thingName": "none", "principal": TARGET}),
    ("list_thing_principals", {"thingName": "none"}),
    ("list_thing_principals_v2", {"thingName": "none"}),
    ("list_principal_things", {"principal": TARGET}),
    ("list_principal_things_v2", {"principal": TARGET}),
    ("describe_endpoint", {}),
    ("test_authorization", {"authInfos": [{"actionType": "PUBLISH",
                                           "resources": [f"{ARN}topic/a"]}]}),
    ("set_v2_logging_options", {}),
    ("get_v2_logging_options", {}),
    ("set_v2_logging_level", {"logTarget": {"targetType": "DEFAULT"}, "logLevel": "INFO"}),
    ("list_v2_logging_levels", {}),
    ("delete_v2_logging_level", {"targetType": "CLIENT_ID", "targetName": "none"}),
]


@pytest.fixture(scope="module")
def throttled_server(start):
    """A server that takes one request a second."""
    server = start("control-throttled",
                   settings="[quotas]\ncontrol_requests = { per_second = 1, burst = 1 }\n")
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize(("operation", "parameters"), EVERY)
def test_beyond_the_rate_every_operation_is_throttled(throttled_server, operation, parameters):
    control = Control(throttled_server)

    def is_throttled():
        try:
            control(operation, **parameters)
        except control.client.exceptions.ThrottlingException as refused:
            return refused.response["ResponseMetadata"]["HTTPStatusCode"]
        except ClientError:
            # It was asked in time, and what it asks for is not there.
            return None

    assert wait_until(is_throttled, "a request that is one too many", seconds=30, pause=0) == 400
    assert control.answer.headers["retry-after"] == "1"
    assert control.answer.reason == "CONTROL_REQUEST_THROTTLED"


def test_what_cannot_be_kept_is_an_internal_failure(template, tmp_path, small_disk):
    folder = copy_folder(template, tmp_path / "data")
    (small_disk / "store").mkdir()
    (folder / "store").symlink_to(small_disk / "store")
    server = Server(folder, "--unlimited")
    try:
        control = Control(server)
        authority = Authority.make("full")
        control.authority(authority)
        kept = control("create_certificate_from_csr", certificateSigningRequest=CSR)
        for name in ("kept", "other"):
            control("create_policy", policyName=name, policyDocument=ANY)
        control("create_policy_version", policyName="kept", policyDocument=ANY)
        _fill(BotoSender(server, server.admin))
        mine = certificates.make(tmp_path, "full").cert.read_text()
        for operation, parameters in (
            ("create_keys_and_certificate", {}),
            ("create_certificate_from_csr", {"certificateSigningRequest": CSR}),
            ("register_certificate_without_ca", {"certificatePem": mine}),
            ("register_ca_certificate", {"caCertificate": Authority.make("more").pem,
                                         "certificateMode": "SNI_ONLY"}),
            ("update_ca_certificate", {"certificateId": authority.certificate_id,
                                       "newStatus": "ACTIVE"}),
            ("register_certificate",
             {"certificatePem": authority.sign(tmp_path, "signed").cert.read_text()}),
            ("update_ca_certificate", {"certificateId": authority.certificate_id,
                                       "newStatus": "INACTIVE"}),
            ("delete_ca_certificate", {"certificateId": authority.certificate_id}),
            ("delete_registration_code", {}),
            ("get_registration_code", {}),
            ("attach_policy", {"policyName": "kept", "target": kept["certificateArn"]}),
            ("detach_policy", {"policyName": "kept", "target": kept["certificateArn"]}),
            ("update_certificate", {"certificateId": kept["certificateId"],
                                    "newStatus": "REVOKED"}),
            ("delete_certificate", {"certificateId": kept["certificateId"]}),
            ("create_policy", {"policyName": "lost", "policyDocument": ANY}),
            ("create_policy_version", {"policyName": "kept", "policyDocument": ANY}),
            ("set_default_policy_version", {"policyName": "kept", "policyVersionId": "2"}),
            ("delete_policy_version", {"policyName": "kept", "policyVersionId": "1"}),
            ("delete_policy", {"policyName": "other"}),
        ):
            control.refused("InternalFailureException", operation, **parameters)
            assert control.answer.reason == "CHANGE_NOT_KEPT"
        control.refused("InternalException", "set_v2_logging_options", defaultLogLevel="INFO")
        assert control.answer.reason == "CHANGE_NOT_KEPT"
        # Reading goes on.
        control("list_policies")
    finally:
        assert server.stop() == 0


def _fill(sender):
    """Retains messages until nothing more can be kept."""
    for number in range(1000):
        try:
            sender.publish(f"fill/{number}", qos=1, retain=True, payload=b"-" * 100_000)
        except ClientError:
            return
    raise AssertionError("the disk was never full")
