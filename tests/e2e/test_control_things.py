"""Things, the certificates that belong to them, and the endpoint, through the API."""

import concurrent.futures
import json

import pytest
from botocore.exceptions import ClientError

from harness import packets
from harness.commands import aws
from harness.control import Control
from harness.paho_device import PahoDevice
from harness.registry import ARN, allow
from harness.server import Server, copy_folder
from harness.wire_device import WireDevice

NOBODY = f"{ARN}cert/{'0' * 64}"
OF_THE_THING = allow("iot:Connect", "client/${iot:Connection.Thing.ThingName}",
                     Bool={"iot:Connection.Thing.IsAttached": ["true"]})


@pytest.fixture
def thing(control, client_id):
    """The name of a thing."""
    control("create_thing", thingName=client_id)
    return client_id


@pytest.fixture
def certificate(control):
    """The ARN of a certificate."""
    return control("create_keys_and_certificate")["certificateArn"]


def test_a_thing_is_made_read_changed_listed_and_deleted(control, client_id, log):
    made = control("create_thing", thingName=client_id, thingTypeName="lamp",
                   attributePayload={"attributes": {"room": "hall", "floor": "1"}})
    assert made["thingArn"] == f"{ARN}thing/{client_id}" and made["thingName"] == client_id
    read = control("describe_thing", thingName=client_id)
    assert read == {
        "thingName": client_id, "defaultClientId": client_id, "thingArn": made["thingArn"],
        "thingId": made["thingId"], "thingTypeName": "lamp", "version": 1,
        "attributes": {"room": "hall", "floor": "1"},
    }
    assert control.answer.json["source"] == "api"
    control("update_thing", thingName=client_id, expectedVersion=1,
            attributePayload={"attributes": {"room": "", "size": "2"}, "merge": True})
    read = control("describe_thing", thingName=client_id)
    assert (read["attributes"], read["version"]) == ({"floor": "1", "size": "2"}, 2)
    control("update_thing", thingName=client_id, removeThingType=True,
            attributePayload={"attributes": {"a": "b"}})
    read = control("describe_thing", thingName=client_id)
    assert read["attributes"] == {"a": "b"} and "thingTypeName" not in read
    control("delete_thing", thingName=client_id, expectedVersion=3)
    control.refused("ResourceNotFoundException", "describe_thing", thingName=client_id)
    # What is not there is deleted already, as with AWS.
    control("delete_thing", thingName=client_id)
    entry = log.wait_for(eventType="ControlPlane", operation="CreateThing",
                         resource=made["thingArn"])
    assert entry["status"] == "Success"


def test_the_same_thing_again_is_the_same_and_another_of_its_name_is_not(control, client_id):
    wanted = {"thingName": client_id, "attributePayload": {"attributes": {"a": "b"}}}
    made = control("create_thing", **wanted)
    assert control("create_thing", **wanted) == made
    response = control.refused("ResourceAlreadyExistsException", "create_thing",
                               thingName=client_id)
    assert response["resourceArn"] == made["thingArn"]


@pytest.mark.parametrize("parameters", [
    {"thingName": "a b"},
    {"thingName": "a" * 129},
    {"thingTypeName": "a/b"},
    {"attributePayload": {"attributes": {"a b": "c"}}},
    {"attributePayload": {"attributes": {"a=[]": "c"}}},
    {"attributePayload": {"attributes": {"a": "ü"}}},
    {"billingGroupName": "a b"},
    {"billingGroupName": "g" * 129},
    {"attributePayload": {"attributes": {"a": "x" * 801}}},
    {"attributePayload": {"attributes": {str(n): "x" for n in range(4)}}},
    {"thingTypeName": "t", "attributePayload": {"attributes": {str(n): "x" for n in range(51)}}},
    {"attributePayload": {"attributes": {"a": 1}}},
])
def test_what_is_no_thing_is_refused(control, client_id, parameters):
    control.refused("InvalidRequestException", "create_thing",
                    **{"thingName": client_id, **parameters})


def test_of_two_writers_one_wins(control, thing):
    def write(n):
        mine = Control(control.server)
        try:
            mine("update_thing", thingName=thing, expectedVersion=1,
                 attributePayload={"attributes": {"writer": str(n)}})
            return n
        except ClientError as error:
            assert error.response["Error"]["Code"] == "VersionConflictException"
            assert mine.answer.status == 409
            return None

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        won = [n for n in pool.map(write, range(8)) if n is not None]
    assert len(won) == 1
    read = control("describe_thing", thingName=thing)
    assert (read["version"], read["attributes"]) == (2, {"writer": str(won[0])})
    control.refused("VersionConflictException", "delete_thing", thingName=thing, expectedVersion=1)
    control.refused("InvalidRequestException", "update_thing", thingName=thing,
                    expectedVersion="one")
    control.refused("ResourceNotFoundException", "update_thing", thingName="e2e-nothing")


def test_things_are_listed_by_what_they_are(control, client_id):
    for n in range(7):
        control("create_thing", thingName=f"{client_id}-{n}", thingTypeName=client_id,
                attributePayload={"attributes": {"size": f"{n % 2}-of-{n}"}})

    def names(**filters):
        found, token = [], {}
        while True:
            page = control("list_things", thingTypeName=client_id, maxResults=2, **filters, **token)
            found += [entry["thingName"] for entry in page["things"]]
            if "nextToken" not in page:
                return found
            token = {"nextToken": page["nextToken"]}

    everything = [f"{client_id}-{n}" for n in range(7)]
    assert names() == everything
    assert names(attributeName="size", attributeValue="1-of-3") == [f"{client_id}-3"]
    assert names(attributeName="size", attributeValue="1-of",
                 usePrefixAttributeValue=True) == everything[1::2]
    assert names(attributeName="colour") == []
    for wrong in ({"maxResults": 251}, {"maxResults": 0}, {"nextToken": "x"}):
        control.refused("InvalidRequestException", "list_things", **wrong)


def test_a_certificate_belongs_to_things(control, thing, certificate, client_id):
    control("create_thing", thingName=f"{client_id}-2")
    for name in (thing, f"{client_id}-2"):
        control("attach_thing_principal", thingName=name, principal=certificate)
        control("attach_thing_principal", thingName=name, principal=certificate)
    assert control("list_thing_principals", thingName=thing) == {"principals": [certificate]}
    assert control("list_thing_principals_v2", thingName=thing) == {"thingPrincipalObjects": [
        {"principal": certificate, "thingPrincipalType": "NON_EXCLUSIVE_THING"}]}
    page = control("list_principal_things", principal=certificate, maxResults=1)
    assert page["things"] == [thing]
    page = control("list_principal_things", principal=certificate, nextToken=page["nextToken"])
    assert page == {"things": [f"{client_id}-2"]}
    objects = control("list_principal_things_v2", principal=certificate)["principalThingObjects"]
    assert [entry["thingName"] for entry in objects] == [thing, f"{client_id}-2"]
    assert control("list_principal_things_v2", principal=certificate,
                   thingPrincipalType="EXCLUSIVE_THING") == {"principalThingObjects": []}
    control.refused("InvalidRequestException", "delete_thing", thingName=thing)
    control("detach_thing_principal", thingName=thing, principal=certificate)
    control("detach_thing_principal", thingName=thing, principal=certificate)
    control("delete_thing", thingName=thing)


def test_an_exclusive_thing_is_the_only_one(control, thing, certificate, client_id):
    other, another = f"{client_id}-2", control("create_keys_and_certificate")["certificateArn"]
    control("create_thing", thingName=other)
    exclusive = {"thingPrincipalType": "EXCLUSIVE_THING"}
    control("attach_thing_principal", thingName=thing, principal=certificate, **exclusive)
    for name, arn, more in ((other, certificate, {}), (other, certificate, exclusive),
                            (thing, another, {}), (thing, another, exclusive),
                            (thing, certificate, {})):
        control.refused("InvalidRequestException", "attach_thing_principal", thingName=name,
                        principal=arn, **more)
    control("attach_thing_principal", thingName=other, principal=another)
    control.refused("InvalidRequestException", "attach_thing_principal", thingName=other,
                    principal=another, **exclusive)


def test_what_is_not_there_is_named(control, thing, certificate):
    for operation in ("attach_thing_principal", "detach_thing_principal"):
        control.refused("ResourceNotFoundException", operation, thingName="e2e-nothing",
                        principal=certificate)
        control.refused("ResourceNotFoundException", operation, thingName=thing, principal=NOBODY)
        for principal in ("", "me", f"{ARN}thing/{thing}"):
            control.refused("InvalidRequestException", operation, thingName=thing,
                            principal=principal)
    control.refused("InvalidRequestException", "attach_thing_principal", thingName=thing,
                    principal=certificate, thingPrincipalType="SHARED")
    for operation in ("list_thing_principals", "list_thing_principals_v2"):
        control.refused("ResourceNotFoundException", operation, thingName="e2e-nothing")
    for operation in ("list_principal_things", "list_principal_things_v2"):
        control.refused("ResourceNotFoundException", operation, principal=NOBODY)


def test_a_policy_knows_the_thing_of_a_connection_at_once(control, server, tmp_path, client_id):
    control.policy(client_id, OF_THE_THING)
    device = control.device(tmp_path, "device", client_id)
    arn = f"{ARN}cert/{device.certificate_id}"
    control("create_thing", thingName=client_id)

    def connects():
        with PahoDevice(client_id) as tried:
            return not tried.connect(server, certificate=device)[1].is_failure

    assert not connects()
    control("attach_thing_principal", thingName=client_id, principal=arn)
    assert connects()
    control("detach_thing_principal", thingName=client_id, principal=arn)
    assert not connects()


def test_a_connection_that_is_there_follows_its_thing(control, server, tmp_path, client_id):
    """Its attributes and whether it is attached count at the next decision, as for
    TestAuthorization."""
    control.policy(client_id, allow("iot:Connect", "*"), allow(
        "iot:Publish", f"topic/{client_id}/${{iot:Connection.Thing.Attributes[room]}}",
        Bool={"iot:Connection.Thing.IsAttached": "true"}))
    mine = control.device(tmp_path, "device", client_id)
    arn = f"{ARN}cert/{mine.certificate_id}"

    def place(room):
        return {"thingName": client_id, "attributePayload": {"attributes": {"room": room}}}

    def may_publish(room):
        told = control("test_authorization", principal=arn, clientId=client_id, authInfos=[
            {"actionType": "PUBLISH", "resources": [f"{ARN}topic/{client_id}/{room}"]}])
        device.send(packets.publish(f"{client_id}/{room}", b"", 1, 9))
        allowed = device.expect("PUBACK").reason() < 0x80
        assert allowed == (told["authResults"][0]["authDecision"] == "ALLOWED")
        return allowed

    control("create_thing", **place("hall"))
    control("attach_thing_principal", thingName=client_id, principal=arn)
    device = WireDevice.connected(server, client_id, mine)
    assert may_publish("hall")
    control("update_thing", **place("desk"))
    assert may_publish("desk")
    # What is refused ends the connection.
    assert not may_publish("hall")
    device = WireDevice.connected(server, client_id, mine)
    control("detach_thing_principal", thingName=client_id, principal=arn)
    assert not may_publish("desk")


def test_who_may_not_is_told_so(server, thing):
    mine = Control(server, server.sender)
    for operation, parameters in (
            ("create_thing", {"thingName": thing}), ("describe_thing", {"thingName": thing}),
            ("update_thing", {"thingName": thing}), ("delete_thing", {"thingName": thing}),
            ("list_things", {}), ("describe_endpoint", {}),
            ("list_thing_principals", {"thingName": thing}),
            ("list_principal_things", {"principal": NOBODY}),
            ("attach_thing_principal", {"thingName": thing, "principal": NOBODY}),
            ("detach_thing_principal", {"thingName": thing, "principal": NOBODY})):
        mine.refused("UnauthorizedException", operation, **parameters)


def test_the_endpoint_is_where_the_caller_is(control):
    for kind in ({}, {"endpointType": "iot:Data-ATS"}, {"endpointType": "iot:Data"}):
        assert control("describe_endpoint", **kind) == {"endpointAddress": "localhost"}
    control.refused("InvalidRequestException", "describe_endpoint", endpointType="iot:Jobs")


def test_the_aws_command_makes_a_thing(server, client_id):
    done = aws(server, server.admin, "create-thing", "--thing-name", client_id,
               "--attribute-payload", '{"attributes": {"a": "b"}}', service="iot")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["thingName"] == client_id
    done = aws(server, server.admin, "list-things", "--attribute-name", "a", service="iot")
    assert client_id in [entry["thingName"] for entry in json.loads(done.stdout)["things"]]


def test_things_survive_a_crash_and_files_come_first(template, tmp_path):
    folder = copy_folder(template, tmp_path / "things")
    (folder / "registry" / "things").mkdir(exist_ok=True)
    (folder / "registry" / "things" / "filed.toml").write_text("")
    server = Server(folder)
    control = Control(server)
    control("create_thing", thingName="kept", attributePayload={"attributes": {"a": "b"}})
    arn = control("create_keys_and_certificate")["certificateArn"]
    control("attach_thing_principal", thingName="kept", principal=arn)
    control("attach_thing_principal", thingName="filed", principal=arn)
    response = control.refused("ResourceAlreadyExistsException", "create_thing", thingName="filed")
    assert "filed.toml" in response["Error"]["Message"]
    for operation in ("update_thing", "delete_thing"):
        response = control.refused("InvalidRequestException", operation, thingName="filed")
        assert "filed.toml" in response["Error"]["Message"]
    server.process.kill()
    server.process.wait()
    again = Server(folder)
    control = Control(again)
    assert control("describe_thing", thingName="kept")["attributes"] == {"a": "b"}
    assert control("list_principal_things", principal=arn) == {"things": ["filed", "kept"]}
    control("describe_thing", thingName="filed")
    assert control.answer.json["source"].startswith("file:")
    assert again.stop() == 0
