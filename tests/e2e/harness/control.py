"""The control plane, through an unmodified boto3 client of the service `iot`."""

import json

import boto3
import pytest
from botocore.config import Config

from harness.answer import TRACE_ID, Answer
from harness.certificates import Certificate
from harness.registry import ARN


def iot_client(server, credentials, listener="https", **config):
    """An unmodified client. One attempt, and what it is given goes out unchecked, so that the server
    is what says no."""
    config.setdefault("retries", {"total_max_attempts": 1})
    config.setdefault("parameter_validation", False)
    return boto3.client(
        "iot",
        region_name=server.region,
        endpoint_url=server.url(listener),
        verify=server.ca,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
        config=Config(**config),
    )


class Control:
    """A client, with the HTTP answer behind each result kept."""

    def __init__(self, server, credentials=None, **options):
        self.server = server
        self.client = iot_client(server, credentials or server.admin, **options)
        self.client.meta.events.register("after-call.iot", self._keep)
        self.answer = None

    def _keep(self, http_response, **_):
        headers = {name.lower(): value for name, value in http_response.headers.items()}
        self.answer = Answer(http_response.status_code, headers, http_response.content)

    def __call__(self, operation, **parameters):
        """An operation that has to succeed; returns what boto3 makes of the answer."""
        result = getattr(self.client, operation)(**parameters)
        result.pop("ResponseMetadata")
        return result

    def refused(self, name, operation, **parameters):
        """An operation that has to raise this exception of the service model; returns the response
        that boto3 keeps in it."""
        with pytest.raises(getattr(self.client.exceptions, name)) as caught:
            getattr(self.client, operation)(**parameters)
        response = caught.value.response
        assert response["Error"]["Code"] == name
        assert response["Error"]["Message"] == self.answer.json["message"]
        assert TRACE_ID.fullmatch(response["ResponseMetadata"]["RequestId"])
        assert self.answer.json["traceId"] == self.answer.trace_id
        return response

    def policy(self, name, *statements):
        """Makes a policy; returns its name."""
        self("create_policy", policyName=name, policyDocument=document(*statements))
        return name

    def device(self, folder, name, *policies, active=True):
        """Makes a key pair and a certificate with policies; returns the files and the ID."""
        made = self("create_keys_and_certificate", setAsActive=active)
        for policy in policies:
            self("attach_policy", policyName=policy, target=made["certificateArn"])
        certificate = Certificate(folder / f"{name}.cert.pem", folder / f"{name}.private.key")
        certificate.cert.write_text(made["certificatePem"])
        certificate.key.write_text(made["keyPair"]["PrivateKey"])
        return certificate

    def authority(self, authority, **parameters):
        """Registers an authority with the proof that its key is there; returns its ID."""
        code = self("get_registration_code")["registrationCode"]
        made = self("register_ca_certificate", caCertificate=authority.pem,
                    verificationCertificate=authority.proof(code), **parameters)
        assert made == {"certificateId": authority.certificate_id,
                        "certificateArn": f"{ARN}cacert/{authority.certificate_id}"}
        return made["certificateId"]

    def pages(self, operation, member, **parameters):
        """Every entry of a list, page by page, and how many pages there were."""
        entries, pages = [], 0
        while True:
            answer = self(operation, **parameters)
            entries += answer[member]
            pages += 1
            if "nextMarker" not in answer:
                return entries, pages
            parameters["marker"] = answer["nextMarker"]


def document(*statements):
    """A policy document as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
