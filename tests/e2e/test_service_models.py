"""What is offered, held against botocore's models of the services: nothing is forgotten, paths and
required members are the model's, errors have the model's names and answers its shapes."""

import json
import pathlib
import re

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from harness.control import Control, document
from harness.paho_device import PahoDevice
from harness.registry import ARN, allow
from harness.senders import boto3_client
from harness.service_model import ServiceModel

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "operations.md"
SERVICES = ("iot-data", "iot", "logs")
NOBODY = "0" * 64
GROUP = {"logGroupName": "AWSIotLogsV2"}
QUESTION = [{"actionType": "PUBLISH", "resources": [f"{ARN}topic/model"]}]
# Members that are ours, beside the model's.
OURS = {"source", "lastSeen", "connectionEpoch", "inflight", "traceId", "message"}


def sections():
    """The offered operations and the others, by service."""
    found = {}
    for part in PAGE.read_text().split("\n## ")[1:]:
        service = re.search(r"`([a-z-]+)`", part)[1]
        offered = re.search(r"^Offered: (.*)\.$", part, re.M)[1].split(", ")
        rows = re.findall(r"^\| (.+?) \| ([A-Z][A-Za-z0-9, ]+) \|$", part, re.M)
        found[service] = offered, [(why, names.split(", ")) for why, names in rows]
    return found


SECTIONS = sections()
OFFERED = [(service, name) for service in SERVICES for name in SECTIONS[service][0]]
NOT_OFFERED = [(service, name) for service in SERVICES
               for _, names in SECTIONS[service][1] for name in names]


@pytest.fixture(scope="module")
def models():
    """The models by service."""
    return {service: ServiceModel(service) for service in SERVICES}


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_offered_or_has_a_reason(models, service):
    listed = [name for listed, name in OFFERED + NOT_OFFERED if listed == service]
    assert len(listed) == len(set(listed)), "each once"
    assert set(listed) == models[service].operations
    assert all(why.strip() for why, _ in SECTIONS[service][1])


class Caller:
    """Clients of the services, with the JSON of each answer kept."""

    def __init__(self, server):
        self.control = Control(server, inject_host_prefix=False)
        self.others = {
            name: boto3_client(server, server.admin, service=name, parameter_validation=False,
                               inject_host_prefix=False)
            for name in ("iot-data", "logs")}
        self.answer = None
        for client in self.others.values():
            client.meta.events.register("after-call", self._keep)

    def _keep(self, http_response, **_):
        self.answer = http_response

    def __call__(self, service, operation, parameters):
        """The status and the JSON of the answer, and the name of the error if it is one."""
        client = self.control.client if service == "iot" else self.others[service]
        error = None
        try:
            getattr(client, xform_name(operation))(**parameters)
        except ClientError as failed:
            error = failed.response["Error"]["Code"]
        answer = self.control.answer if service == "iot" else self.answer
        status = answer.status if service == "iot" else answer.status_code
        body = answer.body if service == "iot" else answer.content
        try:
            return status, json.loads(body or b"{}"), error
        except ValueError:
            return status, {}, error


@pytest.fixture(scope="module")
def call(unlimited_server):
    """Calls any operation of a server without rates."""
    return Caller(unlimited_server)




@pytest.fixture(scope="module")
def parameters(unlimited_server, people, call):
    """Parameters with which each operation succeeds, made as they are asked for."""
    control = call.control
    device = PahoDevice("model-device").connected(unlimited_server, certificate=people.anything)
    device.subscribe("e2e/model")
    made = control("create_keys_and_certificate", setAsActive=True)
    control("create_policy", policyName="model", policyDocument=document(allow("iot:*", "*")))
    control("create_thing", thingName="model", thingTypeName="t",
            attributePayload={"attributes": {"a": "b"}})
    control("attach_policy", policyName="model", target=made["certificateArn"])
    control("attach_thing_principal", thingName="model", principal=made["certificateArn"])
    shadow = {"thingName": "model"}
    call("iot-data", "UpdateThingShadow", {**shadow, "payload": b'{"state":{"desired":{"a":1}}}'})
    call("iot-data", "Publish", {"topic": "e2e/model", "payload": b"x", "retain": True, "qos": 1})
    thing = {"thingName": "model", "principal": made["certificateArn"]}
    policy = {"policyName": "model"}
    certificate = {"certificateId": made["certificateId"]}
    log_target = {"targetType": "CLIENT_ID", "targetName": "model-device"}
    yield {
        "GetConnection": {"clientId": "model-device", "includeSocketInformation": True},
        "ListSubscriptions": {"clientId": "model-device"},
        "GetRetainedMessage": {"topic": "e2e/model"}, "ListRetainedMessages": {},
        "Publish": {"topic": "e2e/other", "payload": b"x"},
        "SendDirectMessage": {"clientId": "model-device", "topic": "e2e/model"},
        "GetThingShadow": shadow, "ListNamedShadowsForThing": shadow,
        "UpdateThingShadow": {**shadow, "payload": b'{"state":{"reported":{"a":2}}}'},
        "DescribeCertificate": certificate, "ListCertificates": {}, "ListCACertificates": {},
        "GetRegistrationCode": {}, "CreateKeysAndCertificate": {},
        "UpdateCertificate": {**certificate, "newStatus": "ACTIVE"},
        "GetPolicy": policy, "ListPolicies": {}, "ListPolicyVersions": policy,
        "GetPolicyVersion": {**policy, "policyVersionId": "1"},
        "SetDefaultPolicyVersion": {**policy, "policyVersionId": "1"},
        "CreatePolicyVersion": {**policy, "policyDocument": document(allow("iot:Connect", "*"))},
        "AttachPolicy": {**policy, "target": made["certificateArn"]},
        "ListAttachedPolicies": {"target": made["certificateArn"]},
        "ListTargetsForPolicy": policy, "DescribeThing": {"thingName": "model"},
        "CreatePolicy": {"policyName": "model-2", "policyDocument": document(allow("iot:*", "*"))},
        "CreateThing": {"thingName": "model-2"}, "UpdateThing": {"thingName": "model-2"},
        "ListThings": {}, "AttachThingPrincipal": thing,
        "ListThingPrincipals": {"thingName": "model"},
        "ListThingPrincipalsV2": {"thingName": "model"},
        "ListPrincipalThings": {"principal": made["certificateArn"]},
        "ListPrincipalThingsV2": {"principal": made["certificateArn"]}, "DescribeEndpoint": {},
        "DetachThingPrincipal": thing, "DeleteThing": {"thingName": "model-2"},
        "DetachPolicy": {**policy, "target": made["certificateArn"]},
        "DeletePolicy": {"policyName": "model-2"},
        "DeletePolicyVersion": {**policy, "policyVersionId": "2"},
        "DescribeLogGroups": {}, "DescribeLogStreams": GROUP,
        "FilterLogEvents": GROUP, "DeleteThingShadow": shadow,
        "TestAuthorization": {"principal": made["certificateArn"], "authInfos": QUESTION},
        "SetV2LoggingOptions": {"defaultLogLevel": "INFO", "eventConfigurations": [
            {"eventType": "Connect", "logLevel": "INFO"}]},
        "GetV2LoggingOptions": {"verbose": True},
        "SetV2LoggingLevel": {"logTarget": log_target, "logLevel": "INFO"},
        "ListV2LoggingLevels": {}, "DeleteV2LoggingLevel": log_target,
        "DeleteRegistrationCode": {}, "DeleteConnection": {"clientId": "model-device"},
    }
    device.close()


def is_ours(path, what):
    """Whether a member that is not in the model is one that we add."""
    return what == "not in the model" and path.rpartition(".")[2] in OURS


# Their success needs certificates made for them: test_control_certificates.py and
# test_control_authorities.py have it; GetLogEvents needs the name of a stream: test_logs_api.py.
ELSEWHERE = {
    "CreateCertificateFromCsr", "RegisterCertificate", "RegisterCertificateWithoutCA",
    "RegisterCACertificate", "DescribeCACertificate", "UpdateCACertificate",
    "DeleteCACertificate", "ListCertificatesByCA", "DeleteCertificate", "GetLogEvents",
}


def test_answers_have_the_shapes_of_the_model(models, call, parameters):
    """In one test, for the operations build on one another."""
    services = {name: service for service, name in OFFERED}
    assert set(parameters) | ELSEWHERE == set(services)
    for name, given in parameters.items():
        service = services[name]
        status, answer, error = call(service, name, given)
        assert (status, error) == (200, None), (name, answer)
        streamed = name in ("GetThingShadow", "UpdateThingShadow", "DeleteThingShadow")
        if not streamed:
            misfits = models[service].misfits(name, answer)
            strange = [misfit for misfit in misfits
                       if not is_ours(*misfit.split(": "))]
            assert not strange, (name, strange)


@pytest.mark.parametrize(("service", "name"), OFFERED)
def test_a_required_member_that_is_missing_is_named(models, call, service, name):
    model = models[service]
    required = model.required(name)
    shape = model.model.operation_model(name).input_shape
    if not required:
        return
    # What stands in the path, the query or a header is given; nothing of the body is.
    given = {member: f"{ARN}cert/{NOBODY}" if member in ("principal", "target") else "model"
             for member in shape.required_members if member not in required}
    if service == "logs" and "logGroupName" not in required:
        given |= GROUP
    status, answer, error = call(service, name, given)
    assert status == 400, (answer, error)
    assert error in model.errors(name) | {"InvalidParameterException"}, error
    assert any(member in answer["message"] for member in required), answer


@pytest.mark.parametrize(("service", "name"), [
    (service, name) for service, name in OFFERED if service != "logs"])
def test_what_is_not_there_fails_as_modelled(models, call, service, name):
    """Whatever an operation on nothing fails with, the model has it."""
    model = models[service]
    shape = model.model.operation_model(name).input_shape
    given = {member: {"principal": f"{ARN}cert/{NOBODY}", "target": f"{ARN}cert/{NOBODY}",
                      "certificateId": NOBODY, "caCertificateId": NOBODY,
                      "policyVersionId": "1", "newStatus": "ACTIVE", "logLevel": "INFO",
                      "logTarget": {"targetType": "CLIENT_ID", "targetName": "e2e-nothing"},
                      "targetType": "CLIENT_ID", "authInfos": QUESTION,
                      "topic": "e2e/nothing"}.get(member, "e2e-nothing")
             for member in (shape.required_members if shape else [])}
    _, answer, error = call(service, name, given)
    if error is not None:
        # Publish and SendDirectMessage are not modelled to be forbidden or malformed in every way.
        assert error in model.errors(name), answer


@pytest.mark.parametrize("service", ["iot", "logs"])
def test_what_is_not_offered_is_clear(models, call, service):
    for listed, name in NOT_OFFERED:
        if listed != service:
            continue
        shape = models[service].model.operation_model(name).input_shape
        made = {"string": "x", "integer": 1, "long": 1, "boolean": True, "list": [], "map": {},
                "structure": {}, "timestamp": 1, "blob": b"x", "double": 1.0}
        given = {member: made[shape.members[member].type_name]
                 for member in (shape.required_members if shape else [])}
        status, answer, error = call(service, name, given)
        assert status in (400, 404, 405), (name, status, answer)
        assert error and answer["message"], (name, answer)
