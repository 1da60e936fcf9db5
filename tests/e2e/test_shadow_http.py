"""Device Shadows over HTTP (the contract's 10): boto3, the AWS command line, curl and raw requests."""

import concurrent.futures
import json
import time

import pytest

from harness import packets
from harness.answer import check_shape
from harness.commands import aws, curl
from harness.patience import wait_until
from harness.population import NARROW
from harness.registry import allow
from harness.senders import RawSender, boto3_client
from harness.server import Server
from harness.signing import Credentials
from harness.wire_device import WireDevice

READER = Credentials("AKIAE2ESHADOWREADER1", "secret of the reader of shadows")
LIST = "/api/things/shadow/ListNamedShadowsForThing"


@pytest.fixture(scope="module")
def server(unlimited_server):
    """The server of these tests, which has to survive each of them."""
    return unlimited_server


@pytest.fixture
def client(server):
    """An unmodified boto3 client with the key that may do everything."""
    return boto3_client(server, server.admin)


@pytest.fixture
def thing(client_id):
    """A thing of its own for each test."""
    return f"thing-{client_id}"


@pytest.fixture
def raw(server):
    """Signed raw requests with the key that may do everything."""
    with RawSender(server, server.admin) as sender:
        yield sender


class Shadow:
    """A shadow of a thing, asked by boto3."""

    def __init__(self, client, thing, name=None):
        self.client = client
        self.where = {"thingName": thing, **({"shadowName": name} if name else {})}

    def update(self, document):
        """UpdateThingShadow with a document, or with bytes."""
        payload = document if isinstance(document, bytes) else json.dumps(document).encode()
        answer = self.client.update_thing_shadow(**self.where, payload=payload)
        return json.loads(answer["payload"].read())

    def get(self):
        """GetThingShadow."""
        return json.loads(self.client.get_thing_shadow(**self.where)["payload"].read())

    def delete(self):
        """DeleteThingShadow."""
        return json.loads(self.client.delete_thing_shadow(**self.where)["payload"].read())

    def refused(self, name, status, message, call):
        """A call that has to raise this exception of the model, with this message."""
        with pytest.raises(getattr(self.client.exceptions, name)) as caught:
            call()
        response = caught.value.response
        assert response["Error"] == {"Code": name, "Message": message}
        assert response["ResponseMetadata"]["HTTPStatusCode"] == status

    def refuses(self, name, status, message, document):
        """An update that has to raise this exception."""
        self.refused(name, status, message, lambda: self.update(document))


@pytest.fixture
def shadow(client, thing):
    """The classic shadow of the thing."""
    return Shadow(client, thing)


def test_the_life_of_a_shadow(shadow, thing):
    before = int(time.time())
    told = shadow.update({"state": {"desired": {"color": "red", "gone": None}},
                          "clientToken": "t-1"})
    stamp = told["timestamp"]
    assert before - 1 <= stamp <= time.time() + 1
    assert told == {
        "state": {"desired": {"color": "red", "gone": None}},
        "metadata": {"desired": {"color": {"timestamp": stamp}}},
        "version": 1, "timestamp": stamp, "clientToken": "t-1",
    }
    told = shadow.update({"state": {"reported": {"color": "blue", "list": [1, {"a": 2}]}},
                          "version": 1})
    assert (told["version"], "clientToken" in told) == (2, False)
    got = shadow.get()
    assert got["state"] == {
        "desired": {"color": "red"}, "reported": {"color": "blue", "list": [1, {"a": 2}]},
        "delta": {"color": "red"},
    }
    leaf = {"timestamp": told["timestamp"]}
    assert got["metadata"]["reported"] == {"color": leaf, "list": [leaf, {"a": leaf}]}
    assert got["metadata"]["delta"] == got["metadata"]["desired"]
    assert got["version"] == 2
    assert shadow.delete().keys() == {"version", "timestamp"}
    message = f"No shadow exists with name: '{thing}'"
    shadow.refused("ResourceNotFoundException", 404, message, shadow.get)
    shadow.refused("ResourceNotFoundException", 404, message, shadow.delete)
    assert shadow.update({"state": {}})["version"] == 3, "the version goes on"


def test_null_removes_and_arrays_are_replaced(shadow):
    shadow.update({"state": {"desired": {"a": {"b": 1, "c": 2}, "d": [1, 2, 3]},
                             "reported": {"e": 1}}})
    shadow.update({"state": {"desired": {"a": {"b": None}, "d": [4]}}})
    assert shadow.get()["state"]["desired"] == {"a": {"c": 2}, "d": [4]}
    shadow.update({"state": {"desired": None}})
    got = shadow.get()
    assert got["state"] == {"reported": {"e": 1}}
    assert got["metadata"].keys() == {"reported"}


def test_numbers_keep_their_digits_and_members_their_order(raw, thing):
    state = b'{"z":12345678901234567890123,"a":1.10,"m":-0.0,"e":1E+2,"\xc3\xa9":"\xf0\x9f\x98\x80"}'
    path = f"/things/{thing}/shadow"
    answer = raw.request("POST", path, b'{"state":{"reported":' + state + b"}}")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert state in answer.body
    assert state in raw.request("GET", path).body


def invalid(text):
    """An answer 400."""
    return "InvalidRequestException", 400, text


FAULTS = [
    (b"", *invalid("Invalid JSON")),
    (b"{", *invalid("Invalid JSON")),
    (b"[]", *invalid("Invalid JSON")),
    (b"{}", *invalid("Missing required node: state")),
    (b'{"state":1}', *invalid("State node must be an object")),
    (b'{"state":{"desired":[]}}', *invalid("Desired node must be an object")),
    (b'{"state":{"reported":"x"}}', *invalid("Reported node must be an object")),
    (b'{"state":{},"version":"1"}', *invalid("Invalid version")),
    (b'{"state":{},"version":-1}', *invalid("Invalid version")),
    (b'{"state":{},"clientToken":1}', *invalid("Invalid clientToken")),
    (b'{"state":{},"clientToken":"%s"}' % (b"x" * 65), *invalid("Invalid clientToken")),
    (b'{"state":{"desired":{"a":[1,null]}}}', *invalid("State contains an invalid node")),
    (b'{"state":{"delta":{}}}', *invalid("State contains an invalid node")),
    (b'{"state":{"desired":%s1%s}}' % (b'{"a":' * 10, b"}" * 10),
     *invalid("JSON contains too many levels of nesting; maximum is 6")),
    (b'{"state":{},"version":5}', "ConflictException", 409, "Version conflict"),
    (b'{"state":{"reported":{"a":"%s"}}}' % (b"x" * 8192), "RequestEntityTooLargeException", 413,
     "The payload exceeds the maximum size allowed"),
    ('{"state":{"reported":{"a":"ä"}}}'.encode("latin-1"), "UnsupportedDocumentEncodingException",
     415, "Unsupported documented encoding; supported encoding is UTF-8"),
    ('{"state":{}}'.encode("utf-16"), "UnsupportedDocumentEncodingException", 415,
     "Unsupported documented encoding; supported encoding is UTF-8"),
]


@pytest.mark.parametrize(("payload", "name", "status", "message"), FAULTS)
def test_every_fault_is_an_exception_of_the_model(shadow, payload, name, status, message):
    shadow.update({"state": {"desired": {"kept": 1}}})
    shadow.refuses(name, status, message, payload)
    got = shadow.get()
    assert (got["version"], got["state"]["desired"]) == (1, {"kept": 1}), "nothing was done"


def test_the_limits_are_reached_and_not_exceeded(shadow):
    nested = 1
    for _ in range(8):
        nested = {"a": nested}
    shadow.update({"state": {"desired": {"deep": nested}}, "clientToken": "x" * 64})
    shadow.update({"state": {"desired": None}})
    # What the state takes as JSON without white space is 8192 bytes.
    room = 8192 - len('{"reported":{"a":""}}')
    shadow.update(b' {  "state" : {"reported": {"a" : "%s"}}}' % (b"x" * room))
    too_large = "The payload exceeds the maximum size allowed"
    shadow.refuses("RequestEntityTooLargeException", 413, too_large,
                   {"state": {"desired": {"b": 1}}})
    shadow.refuses("RequestEntityTooLargeException", 413, too_large,
                   b'{"state":{}%s}' % (b" " * 70_000))


@pytest.mark.parametrize(("path", "reason"), [
    ("/things/a%2Fb/shadow", "INVALID_THING_NAME"), ("/things//shadow", "INVALID_THING_NAME"),
    (f"/things/{'t' * 129}/shadow", "INVALID_THING_NAME"),
    ("/things/a%zz/shadow", "INVALID_THING_NAME"),
    ("/things/a/shadow?name=", "INVALID_SHADOW_NAME"),
    ("/things/a/shadow?name=a%2Fb", "INVALID_SHADOW_NAME"),
    (f"/things/a/shadow?name={'n' * 65}", "INVALID_SHADOW_NAME"),
    ("/things/a/shadow?name=b&name=b", "INVALID_SHADOW_NAME"),
    (f"{LIST}/a%20b", "INVALID_THING_NAME"), (f"{LIST}/a?pageSize=0", "INVALID_PAGE_SIZE_PARAMETER"),
    (f"{LIST}/a?pageSize=101", "INVALID_PAGE_SIZE_PARAMETER"),
    (f"{LIST}/a?nextToken=x", "INVALID_NEXT_TOKEN_PARAMETER"),
])
def test_names_and_parameters_that_are_none(raw, server, path, reason):
    answer = raw.request("GET", path)
    check_shape(answer, 400, reason)
    entry = server.log.wait_for(traceId=answer.trace_id)
    assert (entry["status"], entry["reason"]) == ("Failure", reason)


def test_another_method(raw):
    answer = raw.request("PUT", "/things/a/shadow")
    check_shape(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "DELETE, GET, POST"


def test_named_shadows_are_apart_and_listed_in_pages(client, shadow, thing):
    shadow.update({"state": {}})
    assert client.list_named_shadows_for_thing(thingName=thing)["results"] == []
    names = sorted(f"s{n}" for n in range(7)) + ["$x"]
    for name in names:
        assert Shadow(client, thing, name).update({"state": {"desired": {"n": name}}})["version"] == 1
        Shadow(client, thing + "-2", name).update({"state": {}})
    assert Shadow(client, thing, "s3").get()["state"]["desired"] == {"n": "s3"}
    gone = Shadow(client, thing, "s5")
    gone.delete()
    gone.refused("ResourceNotFoundException", 404, "No shadow exists with name: 's5'", gone.get)
    found, token = [], {}
    while True:
        page = client.list_named_shadows_for_thing(thingName=thing, pageSize=3, **token)
        assert 1 <= len(page["results"]) <= 3
        assert abs(page["timestamp"] - time.time()) < 60
        found += page["results"]
        if not page.get("nextToken"):
            break
        token = {"nextToken": page["nextToken"]}
    assert found == sorted(set(names) - {"s5"})
    whole = client.list_named_shadows_for_thing(thingName=thing, pageSize=100)
    assert (whole["results"], whole.get("nextToken")) == (found, None)
    assert client.list_named_shadows_for_thing(thingName="nobody")["results"] == []


def test_updates_side_by_side_lose_nothing(server, thing):
    callers, each = 8, 15

    def work(caller):
        shadow = Shadow(boto3_client(server, server.admin), thing)
        return [shadow.update({"state": {"reported": {f"c{caller}": {f"n{n}": n}}}})["version"]
                for n in range(each)]

    with concurrent.futures.ThreadPoolExecutor(callers) as pool:
        versions = [version for done in pool.map(work, range(callers)) for version in done]
    assert sorted(versions) == list(range(1, callers * each + 1))
    got = Shadow(boto3_client(server, server.admin), thing).get()
    assert got["version"] == callers * each
    expected = {f"c{c}": {f"n{n}": n for n in range(each)} for c in range(callers)}
    assert got["state"]["reported"] == expected


def test_of_writers_who_expect_the_same_version_one_wins(server, thing):
    writers = 6
    clients = [boto3_client(server, server.admin) for _ in range(writers)]
    Shadow(clients[0], thing).update({"state": {}})

    def work(client, version, writer):
        try:
            Shadow(client, thing).update({"state": {"desired": {"by": writer}}, "version": version})
        except client.exceptions.ConflictException:
            return None
        return writer

    with concurrent.futures.ThreadPoolExecutor(writers) as pool:
        for version in range(1, 11):
            done = pool.map(work, clients, [version] * writers, range(writers))
            winners = [writer for writer in done if writer is not None]
            got = Shadow(clients[0], thing).get()
            assert ([got["state"]["desired"]["by"]], got["version"]) == (winners, version + 1)


def test_the_log_and_the_metrics(client, server, shadow, thing):
    def counted(operation, outcome):
        name = f'tenfour_thing_shadow_{outcome}_total{{operation="{operation}ThingShadow"}}'
        return server.metrics()[name]

    before = {op: counted(op, "accepted") for op in ("Get", "Update", "Delete", "List")}
    rejected = counted("Get", "rejected")
    named = Shadow(client, thing, "config")
    shadow.update({"state": {}})
    named.update({"state": {}})
    shadow.get()
    client.list_named_shadows_for_thing(thingName=thing)
    shadow.delete()
    shadow.refused("ResourceNotFoundException", 404, f"No shadow exists with name: '{thing}'",
                   shadow.get)
    after = {op: counted(op, "accepted") for op in before}
    assert {op: after[op] - before[op] for op in before} == \
        {"Get": 1, "Update": 2, "Delete": 1, "List": 1}
    assert counted("Get", "rejected") == rejected + 1
    topic = f"$aws/things/{thing}/shadow/update"
    entry = server.log.wait_for(eventType="UpdateThingShadow", topicName=topic)
    assert (entry["status"], entry["protocol"]) == ("Success", "HTTP")
    assert (entry["deviceShadowName"], "clientId" in entry) == (thing, False)
    assert entry["principalId"] and entry["sourceIp"] == "127.0.0.1"
    topic = f"$aws/things/{thing}/shadow/name/config/update"
    entry = server.log.wait_for(eventType="UpdateThingShadow", topicName=topic)
    assert entry["deviceShadowName"] == "config"
    server.log.wait_for(eventType="ListNamedShadowsForThing", deviceShadowName=thing)
    entry = server.log.wait_for(eventType="GetThingShadow", status="Failure",
                                deviceShadowName=thing)
    assert entry["reason"] == "SHADOW_NOT_FOUND"
    assert entry["details"] == f"No shadow exists with name: '{thing}'"


def test_policies_of_shadows(start, client_id):
    """`thing/<name>` is the classic shadow, `thing/<name>/<shadow>` a named one."""
    server = start("shadow-policies", "--unlimited")
    server.registry.policy(
        "shadow-reader",
        allow("iot:GetThingShadow", "thing/mine"),
        allow(["iot:GetThingShadow", "iot:UpdateThingShadow"], "thing/mine/open"),
        allow("iot:ListNamedShadowsForThing", "thing/mine"),
    )
    server.registry.sender("shadow-reader", READER, ["shadow-reader"])
    admin = boto3_client(server, server.admin)
    Shadow(admin, "mine").update({"state": {"desired": {"a": 1}}})
    Shadow(admin, "mine", "secret").update({"state": {}})
    with RawSender(server, READER) as sender:
        path = "/things/mine/shadow"
        wait_until(lambda: sender.request("GET", path).status == 200, "the registry to be read")
    mine = boto3_client(server, READER)
    assert Shadow(mine, "mine").get()["version"] == 1
    assert Shadow(mine, "mine", "open").update({"state": {}})["version"] == 1
    assert mine.list_named_shadows_for_thing(thingName="mine")["results"] == ["open", "secret"]
    with RawSender(server, READER) as sender:
        for method, path in [
            ("POST", "/things/mine/shadow"), ("DELETE", "/things/mine/shadow"),
            ("GET", "/things/mine/shadow?name=secret"), ("GET", "/things/other/shadow"),
            ("DELETE", "/things/mine/shadow?name=open"), ("GET", f"{LIST}/other"),
        ]:
            answer = sender.request(method, path, b"not even JSON" if method == "POST" else b"")
            check_shape(answer, 403, "AUTHORIZATION_FAILURE")
    with RawSender(server, NARROW) as sender:
        check_shape(sender.request("GET", "/things/mine/shadow"), 403, "AUTHORIZATION_FAILURE")
    assert server.stop() == 0


def test_a_device_asks_with_its_certificate(server, people, thing):
    tls = ["--cert", people.anything.cert, "--key", people.anything.key]
    url = server.url("https_x509", f"/things/{thing}/shadow?name=config")
    answer, _ = curl(server, *tls, "--data", '{"state":{"reported":{"on":true}}}', url)
    assert (answer.status, answer.json["version"]) == (200, 1)
    answer, _ = curl(server, *tls, url)
    assert answer.json["state"] == {"reported": {"on": True}}
    answer, _ = curl(server, *tls, "--request", "DELETE", url)
    assert (answer.status, answer.json["version"]) == (200, 1)
    answer, _ = curl(server, *tls, url)
    assert answer.headers["x-amzn-errortype"] == "ResourceNotFoundException:"


def test_the_aws_command_line(server, thing, tmp_path):
    out = tmp_path / "out.json"
    done = aws(server, server.admin, "update-thing-shadow", "--thing-name", thing, "--shadow-name",
               "config", "--payload", '{"state":{"desired":{"on":true}}}', str(out))
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())["version"] == 1
    done = aws(server, server.admin, "get-thing-shadow", "--thing-name", thing, "--shadow-name",
               "config", str(out))
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())["state"]["delta"] == {"on": True}
    done = aws(server, server.admin, "list-named-shadows-for-thing", "--thing-name", thing)
    assert json.loads(done.stdout)["results"] == ["config"]
    done = aws(server, server.admin, "delete-thing-shadow", "--thing-name", thing, str(out))
    assert f"No shadow exists with name: '{thing}'" in done.stderr
    assert "(ResourceNotFoundException)" in done.stderr


def test_what_a_sender_was_told_reaches_subscribers_who_are_away_over_kill_9(start, client_id):
    """A delta cannot be asked for again."""
    flags = ["--open", "--unlimited"]
    server = start(f"shadow-away-{client_id}", *flags)
    topics = [f"$aws/things/{client_id}/shadow/update/{kind}"
              for kind in ("accepted", "delta", "documents")]
    for round in range(3):
        device = WireDevice.connected(server, client_id, listener="mqtt", clean=round == 0,
                                      session_expiry_interval=3000)
        if round == 0:
            device.subscribe(*topics)
        last = {}
        while set(last.values()) != {4 * round} and round:
            message = device.message()
            device.acknowledge(message)
            told = json.loads(message.payload)
            last[message.topic] = told.get("version") or told["current"]["version"]
        assert sorted(last) == (sorted(topics) if round else [])
        device.send(packets.disconnect(5))
        device.close()
        with RawSender(server, listener="http") as sender:
            for number in range(4):
                document = {"state": {"desired": {"on": 4 * round + number}}}
                answer = sender.request("POST", f"/things/{client_id}/shadow",
                                        json.dumps(document).encode())
                assert (answer.status, answer.json["version"]) == (200, 4 * round + number + 1)
        server.process.kill()
        server.process.wait(30)
        server = Server(server.folder, *flags)
    assert server.stop() == 0


def test_rates_of_the_account(start):
    server = start("shadow-rates", settings="[quotas]\nrequests_per_shadow = 2")
    client = boto3_client(server, server.admin)
    shadow = Shadow(client, "lamp")
    with pytest.raises(client.exceptions.ThrottlingException) as caught:
        for _ in range(20):
            shadow.update({"state": {}})
    assert caught.value.response["Error"]["Message"] == "Too many requests"
    assert Shadow(client, "door").update({"state": {}})["version"] == 1
    assert server.metrics()['tenfour_throttled_total{quota="requests_per_shadow"}'] >= 1
    assert server.stop() == 0
