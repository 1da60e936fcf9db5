"""ListSubscriptions (the contract's 2.3)."""

import json

import pytest

from harness.answer import check_shape
from harness.commands import aws, curl
from harness.patience import wait_until
from harness.population import NARROW, ONLOOKER
from harness.senders import BotoSender, RawSender
from harness.wire_device import WireDevice


@pytest.fixture
def server(unlimited_server):
    """One call a second for a client is not what these tests are about."""
    return unlimited_server


def pages(boto, client_id, **parameters):
    """The entries of every page."""
    found, token = [], {}
    while True:
        page = boto.call("list_subscriptions", clientId=client_id, **parameters, **token)
        found.append([(entry["topicFilter"], entry["qos"]) for entry in page["subscriptions"]])
        if not page.get("nextToken"):
            return found
        token = {"nextToken": page["nextToken"]}


@pytest.mark.parametrize("version", [3, 5])
def test_a_connected_device(boto, paho, client_id, log, version):
    device = paho(version=version)
    assert boto.call("list_subscriptions", clientId=client_id)["subscriptions"] == []
    device.subscribe("e2e/a/+", 1)
    device.subscribe("e2e/b", 0)
    device.subscribe("$share/group/e2e/c", 1)
    assert pages(boto, client_id) == [[("$share/group/e2e/c", 1), ("e2e/a/+", 1), ("e2e/b", 0)]]
    assert "nextToken" not in boto.answer.json
    entry = log.wait_for(eventType="ListSubscriptions", traceId=boto.answer.trace_id)
    assert len(log.entries(traceId=boto.answer.trace_id)) == 1
    assert (entry["protocol"], entry["status"], entry["maxResults"]) == ("HTTP", "Success", 20)
    assert entry["clientId"] == client_id
    device.unsubscribe("e2e/a/+")
    device.subscribe("e2e/b", 1)
    assert pages(boto, client_id) == [[("$share/group/e2e/c", 1), ("e2e/b", 1)]]


@pytest.mark.parametrize("version", [3, 5])
def test_a_session_without_a_connection(boto, paho, client_id, version):
    device = paho(version=version, clean=False, session_expiry=600)
    device.subscribe("e2e/a", 1)
    device.close()
    wait_until(lambda: not boto.call("get_connection", clientId=client_id)["connected"],
               "the end of the connection")
    assert pages(boto, client_id) == [[("e2e/a", 1)]]
    # A clean start ends the session with its subscriptions.
    clean = paho(version=version, clean=True)
    assert pages(boto, client_id) == [[]]
    clean.close()
    wait_until(lambda: not boto.call("get_connection", clientId=client_id)["connected"],
               "the end of the connection")
    boto.refused_call("ResourceNotFoundException", "list_subscriptions", clientId=client_id)


@pytest.fixture
def many(wire, client_id):
    """A device with as many subscriptions as one may have."""
    device = wire()
    filters = [f"e2e/{client_id}/{n}" for n in range(50)]
    for at in range(0, len(filters), 5):
        device.subscribe(*filters[at:at + 5])
    return device, filters


def test_all_pages(boto, many, client_id):
    _, filters = many
    for size, lengths in ((None, [20, 20, 10]), (7, [7] * 7 + [1]), (50, [50]), (200, [50])):
        found = pages(boto, client_id, **({} if size is None else {"maxResults": size}))
        assert [len(page) for page in found] == lengths
        entries = [entry for page in found for entry in page]
        assert sorted(entries) == sorted((filter, 1) for filter in filters)


def test_pages_while_subscriptions_come_and_go(boto, many, client_id):
    """What was there from the first page to the last is listed once."""
    device, filters = many
    first = boto.call("list_subscriptions", clientId=client_id, maxResults=20)
    listed = [entry["topicFilter"] for entry in first["subscriptions"]]
    # The end of the page before, and some others on both sides of it, go.
    gone = {listed[-1], listed[0], *[filter for filter in filters if filter not in listed][:3]}
    device.unsubscribe(*sorted(gone))
    token = first["nextToken"]
    while token:
        page = boto.call("list_subscriptions", clientId=client_id, nextToken=token)
        listed += [entry["topicFilter"] for entry in page["subscriptions"]]
        token = page.get("nextToken")
    assert len(listed) == len(set(listed))
    assert set(filters) - gone <= set(listed)


@pytest.mark.parametrize("parameters", [{"maxResults": 201}, {"nextToken": "no token of ours"}])
def test_bad_parameters(boto, client_id, parameters):
    answer = boto.refused_call("InvalidRequestException", "list_subscriptions",
                               clientId=client_id, **parameters)
    check_shape(answer, 400, answer.reason)


@pytest.mark.parametrize("query", ["maxResults=0", "maxResults=-1", "maxResults=many",
                                   "maxResults=1&maxResults=2", "nextToken=", "nextToken=AQ"])
def test_bad_queries_that_boto3_does_not_send(raw, query):
    answer = raw.request("GET", f"/connections/nobody/subscriptions?{query}")
    check_shape(answer, 400, answer.reason)


def test_a_token_that_is_not_whole_is_refused(raw, many, client_id):
    page = raw.request("GET", f"/connections/{client_id}/subscriptions?maxResults=1").json
    token = page["nextToken"]
    for bad in (token[:-1], token + "A", token[::-1]):
        answer = raw.request("GET", f"/connections/{client_id}/subscriptions?nextToken={bad}")
        check_shape(answer, 400, "INVALID_NEXT_TOKEN_PARAMETER")


def test_an_unknown_client(boto, log):
    answer = boto.refused_call("ResourceNotFoundException", "list_subscriptions",
                               clientId="e2e-nobody")
    check_shape(answer, 404, "CLIENT_ID_NOT_FOUND")
    entry = log.wait_for(eventType="ListSubscriptions", traceId=answer.trace_id)
    assert (entry["status"], entry["reason"]) == ("Failure", "CLIENT_ID_NOT_FOUND")


def test_without_permission_nothing_is_told(server, wire, client_id):
    wire()
    for who in (NARROW, ONLOOKER):
        sender = BotoSender(server, who)
        texts = {
            sender.refused_call("ForbiddenException", "list_subscriptions",
                                clientId=name).json["message"]
            for name in (client_id, "e2e-nobody")
        }
        assert len(texts) == 1
    check_shape(sender.answer, 403, "AUTHORIZATION_FAILURE")


def test_a_client_whose_name_ends_like_the_operation(raw, wire, client_id):
    """Its slash has to be encoded; as it stands, it is the operation's."""
    wire(f"{client_id}/subscriptions").subscribe("e2e/long")
    wire(client_id).subscribe("e2e/short")

    def filters(path):
        entries = raw.request("GET", f"/connections/{client_id}{path}").json["subscriptions"]
        return [entry["topicFilter"] for entry in entries]

    assert filters("/subscriptions") == ["e2e/short"]
    assert filters("%2Fsubscriptions/subscriptions") == ["e2e/long"]
    assert filters("/subscriptions/subscriptions") == ["e2e/long"]
    found = raw.request("GET", f"/connections/{client_id}%2Fsubscriptions").json
    assert found["clientId"] == f"{client_id}/subscriptions"


def test_the_exception_of_a_bad_client_id(boto):
    answer = boto.refused_call("InvalidRequestException", "list_subscriptions", clientId="$x")
    check_shape(answer, 400, "MALFORMED_CLIENTID")


def test_other_methods(raw):
    for method in ("POST", "PUT", "DELETE"):
        answer = raw.request(method, "/connections/nobody/subscriptions")
        check_shape(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_with_a_certificate(server, people, wire, client_id, version):
    wire().subscribe("e2e/a")
    who = people.anything
    answer, _ = curl(server, version, "--cert", who.cert, "--key", who.key,
                     server.url("https_x509", f"/connections/{client_id}/subscriptions"))
    assert answer.status == 200
    assert answer.json == {"subscriptions": [{"topicFilter": "e2e/a", "qos": 1}]}


def test_awscli(server, wire, client_id):
    wire().subscribe("e2e/a", "e2e/b")
    done = aws(server, server.admin, "list-subscriptions", "--client-id", client_id,
               "--max-results", "1")
    assert done.returncode == 0, done.stderr
    page = json.loads(done.stdout)
    assert page["subscriptions"] == [{"topicFilter": "e2e/a", "qos": 1}]
    done = aws(server, server.admin, "list-subscriptions", "--client-id", client_id,
               "--next-token", page["nextToken"])
    assert json.loads(done.stdout) == {"subscriptions": [{"topicFilter": "e2e/b", "qos": 1}]}
    done = aws(server, server.admin, "list-subscriptions", "--client-id", "e2e-nobody")
    assert "(ResourceNotFoundException)" in done.stderr


def test_once_a_second_for_each_client(main_server, people, client_id):
    """The defaults."""
    boto = BotoSender(main_server, main_server.admin)
    with WireDevice.connected(main_server, client_id, people.fleet):

        def throttled():
            try:
                boto.call("list_subscriptions", clientId=client_id)
            except boto.client.exceptions.ThrottlingException:
                return boto.answer
            return None

        check_shape(wait_until(throttled, "429", pause=0), 429, "LIST_SUBSCRIPTIONS_THROTTLED")
        wait_until(lambda: throttled() is None, "another second", pause=0.1)


def test_without_credentials(server):
    with RawSender(server) as nobody:
        answer = nobody.request("GET", "/connections/nobody/subscriptions")
        check_shape(answer, 403, "NOT_AUTHENTICATED")
