"""TestAuthorization: what the policies of a device would say."""

import json

import pytest

from harness import certificates
from harness.commands import aws
from harness.control import Control, document
from harness.patience import wait_until
from harness.population import NARROW
from harness.registry import ARN, allow, deny

TOPIC, FILTER, CLIENT = f"{ARN}topic/", f"{ARN}topicfilter/", f"{ARN}client/"


def info(action, *resources):
    return {"actionType": action, "resources": list(resources)}


@pytest.fixture
def made(control, client_id):
    """A certificate with two policies, and its ARN."""
    control.policy(f"{client_id}-grants",
                   allow("iot:Connect", f"client/${{iot:ClientId}}"),
                   allow(["iot:Publish", "iot:Receive"], "topic/e2e/*"),
                   allow("iot:Subscribe", "topicfilter/e2e/*"))
    control.policy(f"{client_id}-forbids", deny("iot:Publish", "topic/e2e/secret"))
    device = control("create_keys_and_certificate", setAsActive=False)
    for name in ("grants", "forbids"):
        control("attach_policy", policyName=f"{client_id}-{name}", target=device["certificateArn"])
    return device["certificateArn"]


def names(result):
    """The policies that allow, and those that deny implicitly and explicitly."""
    sets = result["allowed"], result["denied"]["implicitDeny"], result["denied"]["explicitDeny"]
    return [[policy["policyName"].rpartition("-")[2] for policy in each["policies"]]
            for each in sets]


def test_each_question_has_its_answer_and_the_policies_that_led_to_it(control, client_id, made):
    results = control("test_authorization", principal=made, clientId=client_id, authInfos=[
        info("PUBLISH", f"{TOPIC}e2e/a"),
        info("PUBLISH", f"{TOPIC}e2e/secret"),
        info("RECEIVE", f"{TOPIC}other"),
        info("SUBSCRIBE", f"{FILTER}e2e/+"),
        info("SUBSCRIBE", f"{FILTER}$share/group/e2e/+"),
        info("CONNECT", f"{CLIENT}{client_id}"),
        info("CONNECT", f"{CLIENT}other"),
    ])["authResults"]
    assert [result["authDecision"] for result in results] == [
        "ALLOWED", "EXPLICIT_DENY", "IMPLICIT_DENY", "ALLOWED", "ALLOWED", "ALLOWED",
        "IMPLICIT_DENY"]
    assert names(results[0]) == [["grants"], ["forbids"], []]
    assert names(results[1]) == [["grants"], [], ["forbids"]]
    assert names(results[2]) == [[], ["forbids", "grants"], []]
    assert results[1]["authInfo"] == info("PUBLISH", f"{TOPIC}e2e/secret")
    policy = results[0]["allowed"]["policies"][0]
    assert policy == {"policyName": f"{client_id}-grants",
                      "policyArn": f"{ARN}policy/{client_id}-grants"}
    assert all(result["missingContextValues"] == [] for result in results)


def test_several_resources_have_to_be_allowed_all(control, made):
    results = control("test_authorization", principal=made, authInfos=[
        info("PUBLISH", f"{TOPIC}e2e/a", f"{TOPIC}e2e/b"),
        info("PUBLISH", f"{TOPIC}e2e/a", f"{TOPIC}other"),
        info("PUBLISH", f"{TOPIC}e2e/a", f"{TOPIC}e2e/secret", f"{TOPIC}other"),
    ])["authResults"]
    decisions = [result["authDecision"] for result in results]
    assert decisions == ["ALLOWED", "IMPLICIT_DENY", "EXPLICIT_DENY"]


def test_values_that_policies_ask_for_and_nobody_gave_are_named(control, client_id, made):
    connect = info("CONNECT", f"{CLIENT}{client_id}")
    result, = control("test_authorization", principal=made, authInfos=[connect])["authResults"]
    assert result["authDecision"] == "IMPLICIT_DENY"
    assert result["missingContextValues"] == ["iot:ClientId"]
    control.policy(f"{client_id}-conditional",
                   allow("iot:Connect", "*", Bool={"iot:Connection.Thing.IsAttached": "true"},
                         IpAddress={"aws:SourceIp": "10.0.0.0/8"}))
    result, = control("test_authorization", principal=made, clientId=client_id, authInfos=[connect],
                      policyNamesToAdd=[f"{client_id}-conditional"])["authResults"]
    assert result["missingContextValues"] == ["aws:SourceIp", "iot:Connection.Thing.IsAttached"]


def test_the_thing_of_the_client_counts(control, client_id, made):
    control.policy(f"{client_id}-thing",
                   allow("iot:Publish", "topic/room/${iot:Connection.Thing.Attributes[room]}"))
    control("create_thing", thingName=client_id, attributePayload={"attributes": {"room": "hall"}})
    control("attach_thing_principal", thingName=client_id, principal=made)
    control("attach_policy", policyName=f"{client_id}-thing", target=made)

    def decision(**client):
        result, = control("test_authorization", principal=made, **client,
                          authInfos=[info("PUBLISH", f"{TOPIC}room/hall")])["authResults"]
        return result["authDecision"]

    assert decision(clientId=client_id) == "ALLOWED"
    assert decision() == "IMPLICIT_DENY"


def test_policies_can_be_added_and_skipped(control, client_id, made):
    control.policy(f"{client_id}-more", allow("iot:Publish", "topic/more"))

    def decide(topic, **change):
        result, = control("test_authorization", **change,
                          authInfos=[info("PUBLISH", TOPIC + topic)])["authResults"]
        return result["authDecision"]

    added = [f"{client_id}-more"]
    assert decide("more", principal=made) == "IMPLICIT_DENY"
    assert decide("more", principal=made, policyNamesToAdd=added) == "ALLOWED"
    assert decide("more", policyNamesToAdd=added) == "ALLOWED"
    assert decide("more", policyNamesToAdd=added, policyNamesToSkip=added) == "IMPLICIT_DENY"
    assert decide("e2e/secret", principal=made) == "EXPLICIT_DENY"
    assert decide("e2e/secret", principal=made,
                  policyNamesToSkip=[f"{client_id}-forbids"]) == "ALLOWED"
    assert decide("a") == "IMPLICIT_DENY"


def test_what_it_says_is_what_the_device_meets(control, client_id, made, paho, tmp_path):
    device = control.device(tmp_path, "device", f"{client_id}-grants", f"{client_id}-forbids")
    connected = paho(certificate=device)
    codes = [*connected.subscribe("e2e/a"), *connected.subscribe("other")]
    arn = f"{ARN}cert/{device.certificate_id}"
    results = control("test_authorization", principal=arn, clientId=client_id, authInfos=[
        info("SUBSCRIBE", f"{FILTER}e2e/a"), info("SUBSCRIBE", f"{FILTER}other")])["authResults"]
    assert [code < 0x80 for code in codes] == [
        result["authDecision"] == "ALLOWED" for result in results]


def test_the_aws_command_asks(server, client_id, made):
    done = aws(server, server.admin, "test-authorization", "--principal", made,
               "--client-id", client_id, "--auth-infos",
               f"actionType=PUBLISH,resources={TOPIC}e2e/a", service="iot")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["authResults"][0]["authDecision"] == "ALLOWED"


GOOD = [info("PUBLISH", f"{TOPIC}a")]


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({}, "authInfos"),
        ({"authInfos": []}, "authInfos"),
        ({"authInfos": GOOD * 11}, "11"),
        ({"authInfos": [{"resources": [f"{TOPIC}a"]}]}, "actionType"),
        ({"authInfos": [info("READ", f"{TOPIC}a")]}, "READ"),
        ({"authInfos": [info("PUBLISH")]}, "resources"),
        ({"authInfos": [info("PUBLISH", "a")]}, "topic/NAME"),
        ({"authInfos": [info("PUBLISH", f"{CLIENT}a")]}, "topic/NAME"),
        ({"authInfos": [info("SUBSCRIBE", f"{TOPIC}a")]}, "topicfilter/NAME"),
        ({"authInfos": [info("CONNECT", f"{TOPIC}a")]}, "client/NAME"),
        ({"authInfos": [info("CONNECT", "*")]}, "client/NAME"),
        ({"authInfos": GOOD, "principal": "me"}, "principal"),
        ({"authInfos": GOOD, "principal": f"{ARN}thinggroup/g"}, "thing groups"),
        ({"authInfos": GOOD, "cognitoIdentityPoolId": "pool"}, "cognitoIdentityPoolId"),
        ({"authInfos": GOOD, "policyNamesToAdd": [""]}, "policy"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_member_named(control, parameters, named):
    response = control.refused("InvalidRequestException", "test_authorization", **parameters)
    assert named in response["Error"]["Message"]


def test_what_is_not_there_is_not_found(control):
    for missing in ({"principal": f"{ARN}cert/{'0' * 64}"}, {"policyNamesToAdd": ["none"]}):
        control.refused("ResourceNotFoundException", "test_authorization", authInfos=GOOD, **missing)


def test_more_policies_than_a_certificate_may_have_are_over_the_limit(control, client_id):
    added = [control.policy(f"{client_id}-{n}", allow("iot:Publish", "*")) for n in range(11)]
    control.refused("LimitExceededException", "test_authorization", authInfos=GOOD,
                    policyNamesToAdd=added)
    control("test_authorization", authInfos=GOOD, policyNamesToAdd=added[1:])


def test_a_file_may_give_a_certificate_more_policies(server, control, client_id, tmp_path):
    names = [f"{client_id}-{n}" for n in range(12)]
    for name in names:
        server.registry.policy(name, allow("iot:Publish", f"topic/{name}"))
    certificate = certificates.make(tmp_path, client_id)
    server.registry.certificate(client_id, certificate, names)
    wait_until(lambda: certificate.certificate_id in {
        found["certificateId"] for found in control.pages("list_certificates", "certificates")[0]},
        "the files are taken up", seconds=30)
    arn = f"{ARN}cert/{certificate.certificate_id}"

    def ask(**change):
        result, = control("test_authorization", principal=arn, **change,
                          authInfos=[info("PUBLISH", TOPIC + names[-1])])["authResults"]
        return result["authDecision"]

    assert ask() == ask(policyNamesToAdd=names[:2]) == "ALLOWED"
    more = control.policy(f"{client_id}-more", allow("iot:Publish", "*"))
    control.refused("LimitExceededException", "test_authorization", authInfos=GOOD, principal=arn,
                    policyNamesToAdd=[more])
    assert ask(policyNamesToAdd=[more], policyNamesToSkip=names[:2]) == "ALLOWED"


def test_a_caller_needs_the_permission_for_that_certificate(server, made):
    narrow = Control(server, NARROW)
    narrow.refused("UnauthorizedException", "test_authorization", authInfos=GOOD, principal=made)
