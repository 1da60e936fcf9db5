"""What is written to the log, set through the API as `aws iot set-v2-logging-options` does it."""

import json

import pytest
from botocore.exceptions import ClientError

from harness.commands import aws
from harness.control import Control
from harness.population import NARROW, TEMPORARY
from harness.senders import BotoSender
from harness.server import Server

ROLE = "arn:aws:iam::123456789012:role/log"


class Logged:
    """A server whose log is set, and what is written of what is done."""

    def __init__(self, server):
        self.server = server
        self.control = Control(server)
        self.admin = BotoSender(server, server.admin)
        self.others = BotoSender(server, TEMPORARY)
        self._sentinels = 0

    def options(self, **options):
        self.control("set_v2_logging_options", **options)

    def level(self, kind, name, level):
        self.control("set_v2_logging_level", logLevel=level,
                     logTarget={"targetType": kind, "targetName": name})

    def forget(self, kind, name):
        self.control("delete_v2_logging_level", targetType=kind, targetName=name)

    def written(self, *doings):
        """Does it, and returns what the log then has of it: levels and types of the entries."""
        self._sentinels += 1
        name = f"sentinel-{self._sentinels}"
        mark = self.server.log.mark()
        for do in doings:
            do()
        # What comes after it in the log has come after it.
        self.control("set_v2_logging_level", logLevel="DEBUG",
                     logTarget={"targetType": "CLIENT_ID", "targetName": name})
        self.admin.refused("ResourceNotFoundException", name, "a")
        end = self.server.log.wait_since(mark, clientId=name)
        self.forget("CLIENT_ID", name)
        entries = self.server.log.since(mark)
        entries = entries[:entries.index(end)]
        return [(e["logLevel"], e["eventType"]) for e in entries if e["eventType"] != "ControlPlane"]

    def miss(self, client_id="nobody", sender=None):
        """A direct message to nobody: an ERROR."""
        return lambda: (sender or self.admin).refused("ResourceNotFoundException", client_id, "a")

    def publish(self, sender=None):
        """A publish: an INFO."""
        return lambda: (sender or self.admin).publish("e2e/logging", payload=b"x")


MISS, PUBLISH = ("ERROR", "SendDirectMessage"), ("INFO", "Publish-In")


@pytest.fixture
def logged(start, client_id):
    """A server of the test's own: what is set is set for all."""
    server = start(f"logging-{client_id}", "--unlimited")
    yield Logged(server)
    assert server.stop() == 0
    assert "panicked" not in server.printed()


def test_nothing_is_set_at_first(logged):
    control = logged.control
    for operation, parameters in (
        ("get_v2_logging_options", {}),
        ("list_v2_logging_levels", {}),
        ("set_v2_logging_level",
         {"logTarget": {"targetType": "CLIENT_ID", "targetName": "x"}, "logLevel": "INFO"}),
        ("set_v2_logging_level", {"logTarget": {"targetType": "DEFAULT"}, "logLevel": "INFO"}),
    ):
        control.refused("NotConfiguredException", operation, **parameters)
        assert (control.answer.status, control.answer.reason) == (404, "NOT_CONFIGURED")
    # What has no level of its own needs no deleting.
    control("delete_v2_logging_level", targetType="CLIENT_ID", targetName="x")


def test_options_are_read_back_as_they_were_set(logged):
    logged.options(roleArn=ROLE, defaultLogLevel="WARN")
    assert logged.control("get_v2_logging_options") == {
        "roleArn": ROLE, "defaultLogLevel": "WARN", "disableAllLogs": False,
        "eventConfigurations": []}
    events = [{"eventType": "Connect", "logLevel": "DEBUG"},
              {"eventType": "Publish-Out", "logLevel": "DISABLED", "logDestination": "AWSIotLogsV2"}]
    logged.options(eventConfigurations=events)
    logged.options(disableAllLogs=True)
    assert logged.control("get_v2_logging_options") == {
        "roleArn": ROLE, "defaultLogLevel": "WARN", "disableAllLogs": True,
        "eventConfigurations": [{"eventType": "Connect", "logLevel": "DEBUG"},
                                {"eventType": "Publish-Out", "logLevel": "DISABLED"}]}
    all_events = logged.control("get_v2_logging_options", verbose=True)["eventConfigurations"]
    levels = {event["eventType"]: event["logLevel"] for event in all_events}
    assert (levels["Connect"], levels["Publish-Out"], levels["Disconnect"]) == (
        "DEBUG", "DISABLED", "WARN")
    logged.options(eventConfigurations=[], disableAllLogs=False)
    options = logged.control("get_v2_logging_options")
    assert (options["eventConfigurations"], options["disableAllLogs"]) == ([], False)


def test_levels_are_listed_in_pages_with_the_default_first(logged):
    logged.options(defaultLogLevel="ERROR")
    logged.level("SOURCE_IP", "::ffff:127.0.0.1", "DEBUG")
    logged.level("CLIENT_ID", "b", "INFO")
    logged.level("CLIENT_ID", "a", "WARN")
    logged.level("PRINCIPAL_ID", "AIDAX", "DISABLED")
    logged.level("CLIENT_ID", "a", "ERROR")

    def entry(level, kind, name=None):
        target = {"targetType": kind, **({"targetName": name} if name else {})}
        return {"logTarget": target, "logLevel": level}

    expected = [entry("ERROR", "DEFAULT"), entry("ERROR", "CLIENT_ID", "a"),
                entry("INFO", "CLIENT_ID", "b"), entry("DISABLED", "PRINCIPAL_ID", "AIDAX"),
                entry("DEBUG", "SOURCE_IP", "127.0.0.1")]
    assert logged.control("list_v2_logging_levels")["logTargetConfigurations"] == expected
    pages = list(logged.control.client.get_paginator("list_v2_logging_levels").paginate(
        PaginationConfig={"PageSize": 2}))
    assert [len(page["logTargetConfigurations"]) for page in pages] == [2, 2, 1]
    assert sum((page["logTargetConfigurations"] for page in pages), []) == expected
    of_clients = logged.control("list_v2_logging_levels", targetType="CLIENT_ID")
    assert of_clients["logTargetConfigurations"] == expected[1:3]
    nothing = logged.control("list_v2_logging_levels", targetType="THING_GROUP")
    assert nothing["logTargetConfigurations"] == []
    logged.control("set_v2_logging_level", logTarget={"targetType": "DEFAULT"}, logLevel="WARN")
    assert logged.control("get_v2_logging_options")["defaultLogLevel"] == "WARN"
    logged.forget("SOURCE_IP", "127.0.0.1")
    assert len(logged.control("list_v2_logging_levels")["logTargetConfigurations"]) == 4


def test_levels_take_effect_at_once_and_the_narrower_one_counts(logged):
    everything = (logged.miss(), logged.publish())
    assert logged.server.log.entries(eventType="Server")
    logged.options(defaultLogLevel="ERROR")
    assert logged.written(*everything) == [MISS]
    logged.options(eventConfigurations=[{"eventType": "Publish-In", "logLevel": "INFO"},
                                        {"eventType": "SendDirectMessage", "logLevel": "DISABLED"}])
    assert logged.written(*everything) == [PUBLISH]
    logged.level("CLIENT_ID", "seen", "ERROR")
    assert logged.written(logged.miss("seen"), *everything) == [MISS, PUBLISH]
    principal = logged.server.log.wait_for(eventType="Publish-In")["principalId"]
    logged.level("PRINCIPAL_ID", principal, "DISABLED")
    assert logged.written(*everything, logged.publish(logged.others)) == [PUBLISH]
    logged.level("SOURCE_IP", "127.0.0.1", "ERROR")
    assert logged.written(*everything, logged.publish(logged.others)) == [MISS]
    logged.level("CLIENT_ID", "seen", "DISABLED")
    assert logged.written(*everything, logged.miss("seen")) == [MISS]
    for kind, name in (("SOURCE_IP", "127.0.0.1"), ("PRINCIPAL_ID", principal),
                       ("CLIENT_ID", "seen")):
        logged.forget(kind, name)
    assert logged.written(*everything) == [PUBLISH]


def test_disabling_all_is_over_everything_and_can_be_taken_back(logged):
    logged.options(defaultLogLevel="DEBUG", disableAllLogs=True)
    logged.level("CLIENT_ID", "seen", "DEBUG")
    mark = logged.server.log.mark()
    logged.miss("seen")()
    logged.publish()()
    logged.options(disableAllLogs=False)
    logged.miss("later")()
    logged.server.log.wait_since(mark, clientId="later")
    fresh = logged.server.log.since(mark)
    assert not [e for e in fresh if e.get("clientId") == "seen" or e["eventType"] == "Publish-In"]


def test_what_was_set_outlives_the_process_and_outranks_the_configuration(start, client_id):
    server = start(f"logging-{client_id}", "--unlimited", settings='[log]\nfile = "log.jsonl"\n'
                   'level = "DISABLED"\n')
    logged = Logged(server)
    logged.miss("before")()
    logged.options(defaultLogLevel="ERROR")
    logged.level("CLIENT_ID", "quiet", "DISABLED")
    server.process.kill()
    server.process.wait(10)
    server = Server(server.folder, "--unlimited")
    try:
        logged = Logged(server)
        logged.miss("quiet")()
        logged.miss("loud")()
        server.log.wait_for(clientId="loud")
        assert {e["clientId"] for e in server.log.entries(eventType="SendDirectMessage")} == {"loud"}
        assert logged.control("get_v2_logging_options")["defaultLogLevel"] == "ERROR"
    finally:
        assert server.stop() == 0


def test_the_aws_command_sets_and_reads_levels(logged):
    def run(operation, *arguments):
        done = aws(logged.server, logged.server.admin, operation, *arguments, service="iot")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "{}")

    run("set-v2-logging-options", "--role-arn", ROLE, "--default-log-level", "ERROR")
    run("set-v2-logging-level", "--log-level", "DEBUG", "--log-target",
        "targetType=CLIENT_ID,targetName=lamp")
    assert run("get-v2-logging-options")["defaultLogLevel"] == "ERROR"
    levels = run("list-v2-logging-levels")["logTargetConfigurations"]
    assert [level["logLevel"] for level in levels] == ["ERROR", "DEBUG"]
    run("delete-v2-logging-level", "--target-type", "CLIENT_ID", "--target-name", "lamp")
    assert len(run("list-v2-logging-levels")["logTargetConfigurations"]) == 1


TARGET = {"targetType": "CLIENT_ID", "targetName": "x"}


@pytest.mark.parametrize(
    ("operation", "parameters", "named"),
    [
        ("set_v2_logging_options", {"defaultLogLevel": "LOUD"}, "LOUD"),
        ("set_v2_logging_options", {"roleArn": "me"}, "roleArn"),
        ("set_v2_logging_options", {"eventConfigurations": [{"logLevel": "INFO"}]}, "eventType"),
        ("set_v2_logging_options", {"eventConfigurations": [{"eventType": "Connect"}]}, "logLevel"),
        ("set_v2_logging_options",
         {"eventConfigurations": [{"eventType": "RuleMatch", "logLevel": "INFO"}]}, "RuleMatch"),
        ("set_v2_logging_options",
         {"eventConfigurations": [{"eventType": "Connect", "logLevel": "INFO",
                                   "logDestination": "other"}]}, "AWSIotLogsV2"),
        ("set_v2_logging_level", {"logTarget": TARGET}, "logLevel"),
        ("set_v2_logging_level", {"logLevel": "INFO"}, "targetType"),
        ("set_v2_logging_level", {"logLevel": "info", "logTarget": TARGET}, "info"),
        ("set_v2_logging_level",
         {"logLevel": "INFO", "logTarget": {"targetType": "THING_GROUP", "targetName": "x"}},
         "THING_GROUP"),
        ("set_v2_logging_level",
         {"logLevel": "INFO", "logTarget": {"targetType": "EVENT_TYPE", "targetName": "x"}},
         "EVENT_TYPE"),
        ("set_v2_logging_level",
         {"logLevel": "INFO", "logTarget": {"targetType": "SOURCE_IP", "targetName": "10/8"}},
         "10/8"),
        ("set_v2_logging_level", {"logLevel": "INFO", "logTarget": {"targetType": "CLIENT_ID"}},
         "targetName"),
        ("list_v2_logging_levels", {"nextToken": "x"}, "nextToken"),
        ("list_v2_logging_levels", {"maxResults": 251}, "maxResults"),
        ("list_v2_logging_levels", {"targetType": "NOBODY"}, "PRINCIPAL_ID"),
        ("delete_v2_logging_level", {"targetType": "DEFAULT", "targetName": "x"}, "DEFAULT"),
        ("delete_v2_logging_level", {"targetType": "CLIENT_ID"}, "targetName"),
        ("delete_v2_logging_level", {"targetType": "THING_GROUP", "targetName": "x"},
         "THING_GROUP"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_member_named(control, operation, parameters,
                                                              named):
    response = control.refused("InvalidRequestException", operation, **parameters)
    assert named in response["Error"]["Message"]


def test_so_many_targets_have_a_level_and_no_more(logged):
    logged.options(defaultLogLevel="ERROR")
    for number in range(1000):
        logged.level("CLIENT_ID", f"c{number}", "INFO")
    logged.control.refused("LimitExceededException", "set_v2_logging_level", logLevel="INFO",
                           logTarget=TARGET)
    assert logged.control.answer.status == 410
    logged.level("CLIENT_ID", "c1", "DEBUG")


def test_a_caller_needs_the_permission(server, log):
    narrow = Control(server, NARROW)
    for operation, parameters in (
        ("set_v2_logging_options", {"defaultLogLevel": "DISABLED"}),
        ("get_v2_logging_options", {}),
        ("set_v2_logging_level", {"logTarget": TARGET, "logLevel": "INFO"}),
        ("list_v2_logging_levels", {}),
        ("delete_v2_logging_level", TARGET),
    ):
        narrow.refused("UnauthorizedException", operation, **parameters)
        log.wait_for(eventType="ControlPlane", traceId=narrow.answer.trace_id, status="Failure")


def test_every_type_of_entry_is_known(unlimited_server):
    control = Control(unlimited_server)
    try:
        control("get_v2_logging_options")
    except ClientError:
        control("set_v2_logging_options", defaultLogLevel="INFO")
    known = control("get_v2_logging_options", verbose=True)["eventConfigurations"]
    seen = {entry["eventType"] for entry in unlimited_server.log.entries()}
    assert seen and seen <= {event["eventType"] for event in known}
