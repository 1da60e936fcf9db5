"""Policies and their versions through the API, beside those of the files."""

import concurrent.futures
import json

import pytest
from botocore.exceptions import ClientError

from harness import packets
from harness.commands import aws
from harness.control import Control, document
from harness.patience import wait_until
from harness.population import NARROW
from harness.registry import ARN, allow, deny
from harness.senders import RawSender
from harness.server import Server, copy_folder
from harness.signing import Credentials
from harness.wire_device import WireDevice

ANY = allow("iot:*", "*")


def test_a_policy_is_made_read_listed_and_deleted(control, client_id, log):
    text = document(ANY)
    made = control("create_policy", policyName=client_id, policyDocument=text)
    assert made == {
        "policyName": client_id, "policyArn": f"{ARN}policy/{client_id}",
        "policyDocument": text, "policyVersionId": "1",
    }
    read = control("get_policy", policyName=client_id)
    assert (read["policyDocument"], read["defaultVersionId"]) == (text, "1")
    assert read["creationDate"] == read["lastModifiedDate"]
    assert control.answer.json["source"] == "api"
    listed, _ = control.pages("list_policies", "policies", pageSize=100)
    assert {"policyName": client_id, "policyArn": made["policyArn"]} in listed
    control("delete_policy", policyName=client_id)
    control.refused("ResourceNotFoundException", "get_policy", policyName=client_id)
    entry = log.wait_for(eventType="ControlPlane", operation="DeletePolicy",
                         resource=made["policyArn"])
    assert (entry["status"], entry["protocol"]) == ("Success", "HTTP")
    assert entry["principalId"].startswith("AIDA") and entry["sourceIp"] == "127.0.0.1"
    entry = log.wait_for(eventType="ControlPlane", traceId=control.answer.trace_id)
    assert (entry["status"], entry["reason"]) == ("Failure", "RESOURCE_NOT_FOUND")


def test_versions_come_and_go_and_one_is_in_force(control, client_id):
    control.policy(client_id, ANY)
    for number in range(2, 6):
        made = control("create_policy_version", policyName=client_id,
                       policyDocument=document(ANY, deny("iot:Connect", f"client/{number}")),
                       setAsDefault=number == 3)
        assert (made["policyVersionId"], made["isDefaultVersion"]) == (str(number), number == 3)
    control.refused("VersionsLimitExceededException", "create_policy_version",
                    policyName=client_id, policyDocument=document(ANY))
    versions = control("list_policy_versions", policyName=client_id)["policyVersions"]
    assert [v["versionId"] for v in versions] == ["5", "4", "3", "2", "1"]
    assert [v["versionId"] for v in versions if v["isDefaultVersion"]] == ["3"]
    control("set_default_policy_version", policyName=client_id, policyVersionId="4")
    version = control("get_policy_version", policyName=client_id, policyVersionId="4")
    assert version["isDefaultVersion"] and "client/4" in version["policyDocument"]
    assert "client/4" in control("get_policy", policyName=client_id)["policyDocument"]
    control.refused("DeleteConflictException", "delete_policy_version", policyName=client_id,
                    policyVersionId="4")
    control.refused("DeleteConflictException", "delete_policy", policyName=client_id)
    for number in ("1", "2", "3", "5"):
        control("delete_policy_version", policyName=client_id, policyVersionId=number)
    # A number is not given twice.
    made = control("create_policy_version", policyName=client_id, policyDocument=document(ANY))
    assert made["policyVersionId"] == "6"


def test_a_policy_that_cannot_be_parsed_names_the_place(control, client_id):
    for text, place in (
        ('{\n  "Version": "2012-10-17",\n}', "line 3, column 1"),
        (document({"Effect": "Perhaps", "Action": "*", "Resource": "*"}), "Statement[0].Effect"),
        (document(allow("iot:Publish", "topic/a", StringEqual={"a": "b"})), "StringEqual"),
        ("", "line 1"),
        (document(ANY, *[allow("iot:Publish", f"topic/{n}/{'x' * 99}") for n in range(20)]),
         "2048"),
    ):
        for operation in ("create_policy", "create_policy_version"):
            name = client_id if operation == "create_policy" else "admin"
            response = control.refused("MalformedPolicyException", operation, policyName=name,
                                       policyDocument=text)
            assert place in response["Error"]["Message"], response["Error"]["Message"]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_policy_version", {"policyName": "none", "policyDocument": document(ANY)}),
        ("get_policy", {"policyName": "none"}),
        ("get_policy_version", {"policyName": "none", "policyVersionId": "1"}),
        ("get_policy_version", {"policyName": "admin", "policyVersionId": "2"}),
        ("set_default_policy_version", {"policyName": "none", "policyVersionId": "1"}),
        ("list_policy_versions", {"policyName": "none"}),
        ("delete_policy", {"policyName": "none"}),
        ("delete_policy_version", {"policyName": "none", "policyVersionId": "1"}),
        ("attach_policy", {"policyName": "none", "target": f"{ARN}cert/{'0' * 64}"}),
        ("attach_policy", {"policyName": "admin", "target": f"{ARN}cert/{'0' * 64}"}),
        ("list_attached_policies", {"target": f"{ARN}cert/{'0' * 64}"}),
        ("list_targets_for_policy", {"policyName": "none"}),
    ],
)
def test_what_is_not_there_is_not_found(control, operation, parameters):
    control.refused("ResourceNotFoundException", operation, **parameters)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_policy", {"policyName": "not a name", "policyDocument": document(ANY)}),
        ("create_policy", {"policyName": "x" * 129, "policyDocument": document(ANY)}),
        ("create_policy", {"policyName": "e2e-none"}),
        ("create_policy", {"policyName": "e2e-none", "policyDocument": document(ANY),
                           "tags": [{"Key": "a", "Value": "b"}]}),
        ("create_policy_version", {"policyName": "admin"}),
        ("get_policy_version", {"policyName": "admin", "policyVersionId": "one"}),
        ("set_default_policy_version", {"policyName": "admin", "policyVersionId": "x"}),
        ("delete_policy_version", {"policyName": "admin", "policyVersionId": "-1"}),
        ("list_policies", {"pageSize": 0}),
        ("list_policies", {"pageSize": 251}),
        ("list_policies", {"marker": "nonsense"}),
        ("attach_policy", {"policyName": "admin", "target": "arn:aws:iot:us-west-2:1:cert/x"}),
        ("attach_policy", {"policyName": "admin", "target": f"{ARN}thinggroup/a"}),
        ("attach_policy", {"policyName": "admin"}),
        ("detach_policy", {"policyName": "admin", "target": "somebody"}),
        ("detach_policy", {"policyName": "admin", "target": f"{ARN}cert/{'0' * 64}"}),
        ("list_attached_policies", {"target": "somebody"}),
        ("list_targets_for_policy", {"policyName": "admin", "pageSize": 1000}),
    ],
)
def test_what_makes_no_sense_is_an_invalid_request(control, operation, parameters):
    control.refused("InvalidRequestException", operation, **parameters)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_policy", {"policyName": "a", "policyDocument": document(ANY)}),
        ("create_policy_version", {"policyName": "a", "policyDocument": document(ANY)}),
        ("get_policy", {"policyName": "a"}),
        ("get_policy_version", {"policyName": "a", "policyVersionId": "1"}),
        ("set_default_policy_version", {"policyName": "a", "policyVersionId": "1"}),
        ("list_policies", {}),
        ("list_policy_versions", {"policyName": "a"}),
        ("delete_policy", {"policyName": "a"}),
        ("delete_policy_version", {"policyName": "a", "policyVersionId": "1"}),
        ("attach_policy", {"policyName": "a", "target": f"{ARN}cert/{'0' * 64}"}),
        ("detach_policy", {"policyName": "a", "target": f"{ARN}cert/{'0' * 64}"}),
        ("list_attached_policies", {"target": f"{ARN}cert/{'0' * 64}"}),
        ("list_targets_for_policy", {"policyName": "a"}),
    ],
)
def test_whoever_may_not_is_unauthorized(server, operation, parameters):
    """And learns nothing of what there is: the answer is the same for what is not there."""
    response = Control(server, NARROW).refused("UnauthorizedException", operation, **parameters)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 401


def test_a_policy_of_a_file_is_read_and_not_written(control, client_id, server, tmp_path):
    read = control("get_policy", policyName="admin")
    assert json.loads(read["policyDocument"])["Statement"]
    assert control.answer.json["source"] == f"file:{server.folder}/registry/policies/admin.json"
    response = control.refused("ResourceAlreadyExistsException", "create_policy",
                               policyName="admin", policyDocument=document(ANY))
    assert response["resourceId"] == "admin"
    assert response["resourceArn"] == f"{ARN}policy/admin"
    assert "policies/admin.json" in response["Error"]["Message"]
    for operation, parameters in (
        ("create_policy_version", {"policyDocument": document(ANY)}),
        ("set_default_policy_version", {"policyVersionId": "1"}),
        ("delete_policy", {}),
        ("delete_policy_version", {"policyVersionId": "1"}),
    ):
        response = control.refused("InvalidRequestException", operation, policyName="admin",
                                   **parameters)
        assert "policies/admin.json" in response["Error"]["Message"]
    # A policy of a file on a certificate of the API, and none on one of a file.
    mine = control.device(tmp_path, client_id, "fleet")
    target = f"{ARN}cert/{mine.certificate_id}"
    attached = control("list_attached_policies", target=target)["policies"]
    assert attached == [{"policyName": "fleet", "policyArn": f"{ARN}policy/fleet"}]
    assert target in control("list_targets_for_policy", policyName="fleet")["targets"]


def test_attached_policies_count_at_once_and_to_the_limit(control, client_id, server, tmp_path):
    names = [control.policy(f"{client_id}-{n}", ANY) for n in range(11)]
    mine = control.device(tmp_path, client_id)
    target = f"{ARN}cert/{mine.certificate_id}"
    with pytest.raises((OSError, AssertionError)):
        WireDevice.connected(server, client_id, mine)
    for name in names[:10]:
        control("attach_policy", policyName=name, target=target)
    control("attach_policy", policyName=names[0], target=target)
    control.refused("LimitExceededException", "attach_policy", policyName=names[10], target=target)
    with WireDevice.connected(server, client_id, mine) as device:
        listed, pages = control.pages("list_attached_policies", "policies", target=target,
                                      pageSize=3)
        assert [entry["policyName"] for entry in listed] == sorted(names[:10])
        assert pages == 4
        control.refused("DeleteConflictException", "delete_policy", policyName=names[0])
        for name in names[:10]:
            control("detach_policy", policyName=name, target=target)
        control("detach_policy", policyName=names[0], target=target)
        assert control("list_attached_policies", target=target)["policies"] == []
        # The live connection may nothing any more.
        device.send(packets.subscribe([("e2e/x", 0)], 1, 5))
        packet = device.packet()
        assert packet is None or packet.kind == "DISCONNECT" or packet.reasons(5) == [0x87]


def test_the_default_version_counts_on_live_connections(control, client_id, server, tmp_path):
    control.policy(client_id, ANY)
    control("create_policy_version", policyName=client_id,
            policyDocument=document(ANY, deny("iot:Receive", "topic/e2e/*")))
    mine = control.device(tmp_path, client_id, client_id)
    with WireDevice.connected(server, client_id, mine) as device, \
            RawSender(server, server.admin) as sender:
        assert sender.send(client_id, "e2e/a").status == 200
        assert device.message().topic == "e2e/a"
        control("set_default_policy_version", policyName=client_id, policyVersionId="2")
        assert sender.send(client_id, "e2e/a").reason == "RECEIVE_AUTHORIZATION_FAILURE"
        control("set_default_policy_version", policyName=client_id, policyVersionId="1")
        assert sender.send(client_id, "e2e/a").status == 200


def test_of_writers_at_once_one_wins(server, client_id):
    def create(_):
        control = Control(server)
        try:
            control("create_policy", policyName=client_id, policyDocument=document(ANY))
        except control.client.exceptions.ResourceAlreadyExistsException:
            return "exists"
        return "made"

    def add(_):
        control = Control(server)
        try:
            control("create_policy_version", policyName=client_id, policyDocument=document(ANY))
        except control.client.exceptions.VersionsLimitExceededException:
            return "limit"
        return "made"

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(create, range(8))) == ["exists"] * 7 + ["made"]
        assert sorted(threads.map(add, range(8))) == ["limit"] * 4 + ["made"] * 4


def test_lists_come_in_pages_by_age(control, client_id):
    names = [control.policy(f"{client_id}-{n}", ANY) for n in range(7)]
    for ascending in (True, False):
        listed, pages = control.pages("list_policies", "policies", pageSize=2,
                                      ascendingOrder=ascending)
        mine = [p["policyName"] for p in listed if p["policyName"].startswith(f"{client_id}-")]
        assert mine == (names if ascending else names[::-1])
        assert len(listed) == len({p["policyName"] for p in listed}) and pages >= 4


def test_an_operation_that_is_not_offered_says_so(control, raw):
    with pytest.raises(ClientError) as caught:
        control.client.create_topic_rule(ruleName="a", topicRulePayload={"sql": "", "actions": []})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert control.answer.reason == "UNKNOWN_OPERATION"
    assert "service iot" in control.answer.json["message"]
    answer = raw.request("PUT", "/policies/a", service="iot")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST, DELETE")
    assert answer.headers["x-amzn-errortype"] == "MethodNotAllowedException:"


def test_the_signature_must_name_the_service_of_the_operation(server, raw, people):
    answer = raw.request("GET", "/policies", service="iotdata")
    assert answer.status == 403
    assert answer.headers["x-amzn-errortype"] == "UnrecognizedClientException:"
    assert "sign for iot" in answer.json["message"]
    answer = raw.request("POST", "/topics/e2e/a", service="iot")
    assert answer.status == 403
    assert answer.headers["x-amzn-errortype"] == "ForbiddenException:"
    with RawSender(server, None, "https") as unsigned:
        answer = unsigned.request("GET", "/policies")
        assert (answer.status, answer.reason) == (403, "NOT_AUTHENTICATED")
    with RawSender(server, None, "https_x509", people.anything) as device:
        answer = device.request("GET", "/policies")
        assert answer.status == 403
        assert answer.headers["x-amzn-errortype"] == "AccessDeniedException:"


def test_an_open_listener_reaches_the_control_plane(open_server):
    with RawSender(open_server, None, "http") as sender:
        answer = sender.request("GET", "/policies")
        assert answer.status == 200 and answer.json["policies"]


def test_the_aws_command_makes_and_reads_policies(server, client_id, tmp_path):
    file = tmp_path / "policy.json"
    file.write_text(document(ANY))
    done = aws(server, server.admin, "create-policy", "--policy-name", client_id,
               "--policy-document", f"file://{file}", service="iot")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["policyVersionId"] == "1"
    done = aws(server, server.admin, "list-policies", service="iot")
    assert client_id in [p["policyName"] for p in json.loads(done.stdout)["policies"]]
    done = aws(server, server.admin, "create-policy", "--policy-name", client_id,
               "--policy-document", f"file://{file}", service="iot")
    assert done.returncode != 0 and "ResourceAlreadyExistsException" in done.stderr


@pytest.fixture
def own_server(template, tmp_path):
    """A server of the test's own, which may end in any way."""
    server = Server(copy_folder(template, tmp_path / "data"))
    yield server
    server.process.kill()
    server.process.wait(10)


def test_what_was_answered_is_there_after_a_kill(own_server, tmp_path):
    control = Control(own_server)
    control.policy("kept", ANY)
    control("create_policy_version", policyName="kept", policyDocument=document(ANY),
            setAsDefault=True)
    control.policy("gone", ANY)
    control("delete_policy", policyName="gone")
    mine = control.device(tmp_path, "mine", "kept")
    own_server.process.kill()
    own_server.process.wait(10)
    server = Server(own_server.folder)
    try:
        control = Control(server)
        assert control("get_policy", policyName="kept")["defaultVersionId"] == "2"
        control.refused("ResourceNotFoundException", "get_policy", policyName="gone")
        target = f"{ARN}cert/{mine.certificate_id}"
        assert control("list_targets_for_policy", policyName="kept")["targets"] == [target]
        WireDevice.connected(server, "mine", mine).close()
    finally:
        assert server.stop() == 0


def test_a_file_with_the_name_of_an_api_record_is_refused_and_taken_up_later(own_server):
    control = Control(own_server)
    control.policy("both", ANY)
    leaving = Credentials("AKIALEAVING000000000", "a secret of nobody else")
    own_server.registry.sender("leaving", leaving, ["admin"])
    wait_until(lambda: _is_known(own_server, leaving), "the key", seconds=20, pause=0.2)
    mark = own_server.log.mark()
    own_server.registry.policy("both", deny("iot:*", "*"))
    own_server.registry.policy("other", ANY)
    entry = own_server.log.wait_since(mark, seconds=20, eventType="RegistryReload",
                                      status="Failure")
    assert "policy both" in entry["details"] and "both.json" in entry["details"]
    # Nothing of it is in force.
    control.refused("ResourceNotFoundException", "get_policy", policyName="other")
    assert "api" == _source(control, "both")
    # Only what takes access away does not wait for it.
    own_server.registry.remove("senders/leaving.toml")
    wait_until(lambda: not _is_known(own_server, leaving), "the end of the key", seconds=20,
               pause=0.2)
    control("delete_policy", policyName="both")
    wait_until(lambda: _source(control, "other"), "the files", seconds=20, pause=0.2)
    assert _source(control, "both").startswith("file:")
    failures = own_server.log.since(mark, eventType="RegistryReload", status="Failure")
    assert len(failures) == 1, "it is said once"


def _is_known(server, credentials):
    with RawSender(server, credentials) as sender:
        return sender.request("GET", "/policies", service="iot").status == 200


def _source(control, name):
    """Where a policy comes from; None if there is none."""
    try:
        control("get_policy", policyName=name)
    except control.client.exceptions.ResourceNotFoundException:
        return None
    return control.answer.json["source"]


def test_a_clash_at_the_start_is_a_clear_error(own_server):
    Control(own_server).policy("both", ANY)
    assert own_server.stop() == 0
    own_server.registry.policy("both", ANY)
    with pytest.raises(AssertionError) as caught:
        Server(own_server.folder)
    assert "both.json" in str(caught.value) and "made through the API" in str(caught.value)


def test_a_body_that_is_too_large_or_no_json_is_an_invalid_request(raw):
    for body in (b"{", b"[]", b"\xff\xfe", b'{"policyDocument": 5}', b" " * 300_000):
        answer = raw.request("POST", "/policies/e2e-none", body, service="iot")
        assert (answer.status, answer.reason) == (400, "INVALID_REQUEST"), answer
        assert answer.headers["x-amzn-errortype"] == "InvalidRequestException:"
