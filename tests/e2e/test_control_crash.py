"""The control plane and a server that is killed while it is at work."""

import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.asymmetric import ec

from harness.certificates import signing_request
from harness.control import Control, document
from harness.patience import wait_until
from harness.registry import ARN, allow, deny
from harness.server import Server, copy_folder

ANY = document(allow("iot:*", "*"))
NONE = document(deny("iot:*", "*"))


class Provisioner(threading.Thread):
    """Makes policies with two versions and certificates that have them, until the server is gone;
    takes down what it was answered."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.control = Control(server)
        self.number = number
        self.policies = {}
        self.certificates = {}
        self.error = None

    def run(self):
        csr = signing_request(ec.generate_private_key(ec.SECP256R1()))
        try:
            for count in range(100_000):
                name = f"p-{self.number}-{count}"
                self.control("create_policy", policyName=name, policyDocument=ANY)
                self.policies[name] = "1"
                made = self.control("create_certificate_from_csr", setAsActive=True,
                                    certificateSigningRequest=csr)
                self.certificates[made["certificateArn"]] = None
                self.control("attach_policy", policyName=name, target=made["certificateArn"])
                self.certificates[made["certificateArn"]] = name
                self.control("create_policy_version", policyName=name, policyDocument=NONE,
                             setAsDefault=True)
                self.policies[name] = "2"
        except (BotoCoreError, ClientError) as error:
            self.error = error


@pytest.mark.parametrize("after", [0.3, 0.8, 1.5])
def test_what_was_answered_stays_and_nothing_is_half_done(template, tmp_path, after):
    server = Server(copy_folder(template, tmp_path / "data"), "--unlimited")
    threads = [Provisioner(server, number) for number in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: all(thread.certificates for thread in threads), "the first certificates")
    # The moment need not be any in particular.
    time.sleep(after)
    server.process.kill()
    server.process.wait(10)
    for thread in threads:
        thread.join(60)
        assert isinstance(thread.error, BotoCoreError), thread.error
    server = Server(server.folder, "--unlimited")
    try:
        _check(Control(server), threads)
    finally:
        assert server.stop() == 0


def _check(control, threads):
    listed, _ = control.pages("list_policies", "policies", pageSize=250)
    there = {policy["policyName"] for policy in listed}
    for name, version in (item for thread in threads for item in thread.policies.items()):
        assert name in there, name
        # The answer to the next version may have been lost, but not this one.
        told = control("get_policy", policyName=name)
        assert told["defaultVersionId"] >= version
        assert told["policyDocument"] == (ANY if told["defaultVersionId"] == "1" else NONE)
    listed, _ = control.pages("list_certificates", "certificates", pageSize=250)
    there = {certificate["certificateArn"] for certificate in listed}
    for target, name in (item for thread in threads for item in thread.certificates.items()):
        assert target in there, target
        attached = control("list_attached_policies", target=target)["policies"]
        if name:
            assert [policy["policyName"] for policy in attached] == [name]
            assert control("list_targets_for_policy", policyName=name)["targets"] == [target]
    # Whatever has no answer is whole as well.
    for target in there:
        assert target.startswith(f"{ARN}cert/")
        told = control("describe_certificate", certificateId=target.rpartition("/")[2])
        assert told["certificateDescription"]["status"]
