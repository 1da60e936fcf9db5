"""The command line for people: exit statuses, `--json`, and what it says on mistakes."""

import json
import subprocess

import pytest

from harness.patience import wait_until
from harness.server import binary, copy_folder

REBOOT = '{"action": "reboot"}'


def tenfour(*arguments, **options):
    """Runs a command to its end."""
    options.setdefault("timeout", 60)
    command = [str(binary()), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          **options)


@pytest.fixture
def as_sender(server):
    """Options of `tenfour send` for the running server."""
    key = server.ready["sender"]
    return ["--endpoint", server.url("https"), "--ca", server.ca,
            "--access-key-id", key["access_key_id"],
            "--secret-access-key", key["secret_access_key"]]


@pytest.fixture
def listening(server, my_device, log):
    """Starts `tenfour listen myDevice` and returns the process once it is connected."""
    started = []

    def start(*options):
        mark = log.mark()
        command = [str(binary()), "listen", "myDevice", "--endpoint",
                   f"localhost:{server.port('mqtts')}", "--ca", server.ca,
                   "--cert", str(my_device[0]), "--key", str(my_device[1]), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, stdin=subprocess.DEVNULL)
        started.append(process)
        wait_until(lambda: log.since(mark, eventType="Connect", clientId="myDevice",
                                     status="Success"), "tenfour listen")
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def test_send_and_listen(listening, as_sender):
    device = listening("--json", "--count", "1")
    sent = tenfour("send", "myDevice", "commands/reboot", REBOOT, "--confirm", "--timeout", "10",
                   "--json", *as_sender)
    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout)["message"] == "OK"
    heard, _ = device.communicate(timeout=20)
    assert device.returncode == 0
    message = json.loads(heard.strip().splitlines()[-1])
    assert message["topic"] == "commands/reboot"
    assert "reboot" in json.dumps(message)


@pytest.mark.parametrize("version", ["3", "5"])
def test_send_and_listen_for_people(listening, as_sender, version):
    device = listening("--count", "1", "--mqtt", version)
    sent = tenfour("send", "myDevice", "commands/reboot", REBOOT, "--confirm",
                   "--content-type", "application/json", "--user-property", "a=b", *as_sender)
    assert sent.returncode == 0, sent.stderr
    heard, _ = device.communicate(timeout=20)
    assert "commands/reboot" in heard and "reboot" in heard


def test_a_send_that_nobody_acknowledges_has_a_status_of_its_own(listening, as_sender):
    listening("--no-ack")
    sent = tenfour("send", "myDevice", "commands/reboot", REBOOT, "--confirm", "--timeout", "1",
                   *as_sender)
    assert sent.returncode == 6, sent.stdout + sent.stderr
    assert "DELIVERY_CONFIRMATION_TIMEOUT" in sent.stdout + sent.stderr


def test_an_acknowledgement_may_be_delayed(listening, as_sender):
    listening("--ack-delay", "400")
    sent = tenfour("send", "myDevice", "commands/reboot", REBOOT, "--confirm", "--timeout", "10",
                   *as_sender)
    assert sent.returncode == 0, sent.stdout + sent.stderr


def test_refusals_have_a_status_of_their_own(as_sender):
    sent = tenfour("send", "another", "commands/reboot", REBOOT, *as_sender)
    assert sent.returncode == 4
    assert "SENDER_AUTHORIZATION_FAILURE" in sent.stdout + sent.stderr


def test_send_with_json_reports_a_refusal_as_json(as_sender):
    sent = tenfour("send", "another", "commands/reboot", REBOOT, "--json", *as_sender)
    assert sent.returncode == 4
    answer = json.loads(sent.stdout)
    assert answer["reason"] == "SENDER_AUTHORIZATION_FAILURE"


def test_send_with_a_certificate(server, people, as_sender):
    sent = tenfour("send", "nobody", "e2e/a", "x", "--endpoint", server.url("https_x509"),
                   "--ca", server.ca, "--cert", people.gateway.cert, "--key", people.gateway.key)
    assert sent.returncode == 4
    assert "TARGET_CLIENT_ID_NOT_FOUND" in sent.stdout + sent.stderr


def test_send_to_nowhere_says_so(server):
    sent = tenfour("send", "a", "b", "c", "--endpoint", "https://localhost:1", "--ca", server.ca,
                   "--access-key-id", "a", "--secret-access-key", "b")
    assert sent.returncode == 1
    assert "localhost:1" in sent.stderr


@pytest.mark.parametrize("arguments", [["send"], ["send", "a"], ["fly"], ["dev", "--profile", "x"]])
def test_usage_mistakes_are_explained(arguments):
    done = tenfour(*arguments)
    assert done.returncode in (1, 2)
    assert done.stderr.strip()


def test_help_reads_for_every_command():
    assert "dev" in tenfour("--help").stdout
    for command in ("dev", "serve", "check", "demo", "send", "listen", "policy"):
        done = tenfour(command, "--help")
        assert done.returncode == 0
        assert "Usage" in done.stdout


class TestPolicyTest:
    """`tenfour policy test`."""

    @pytest.fixture
    def ask(self, template):
        """Asks about the data folder that the tests share."""

        def run(principal, action, resource, *options):
            return tenfour("policy", "test", "--dir", template, "--principal", principal,
                           "--action", action, "--resource", resource, *options)

        return run

    def test_allowed_names_statement_and_file(self, ask):
        done = ask("certificates/myDevice", "iot:Receive", "topic/commands/reboot")
        assert done.returncode == 0, done.stderr
        assert "myDevice.json" in done.stdout

    def test_denied_names_what_came_nearest(self, ask):
        done = ask("senders/backend", "iot:SendDirectMessage", "client/myDevice",
                   "--context", "iot:Topic=commands/explode")
        assert done.returncode == 1, done.stdout + done.stderr
        assert "backend.json" in done.stdout

    def test_context_makes_the_difference(self, ask):
        done = ask("senders/backend", "iot:SendDirectMessage", "client/myDevice",
                   "--context", "iot:Topic=commands/reboot")
        assert done.returncode == 0, done.stdout + done.stderr

    def test_a_full_arn_is_a_resource(self, ask):
        done = ask("senders/admin", "iot:SendDirectMessage",
                   "arn:aws:iot:us-west-2:123456789012:client/anything")
        assert done.returncode == 0

    def test_json(self, ask):
        done = ask("certificates/myDevice", "iot:Publish", "topic/forbidden", "--json")
        assert done.returncode == 1
        json.loads(done.stdout)

    @pytest.mark.parametrize(
        "question",
        [("certificates/nobody", "iot:Receive", "topic/a"), ("what", "iot:Receive", "topic/a")],
    )
    def test_mistakes_are_neither_allowed_nor_denied(self, ask, question):
        done = ask(*question)
        assert done.returncode == 2
        assert done.stderr.strip()


class TestCheck:
    """`tenfour check` and `tenfour serve`."""

    def test_a_good_configuration(self, template):
        done = tenfour("check", "--config", template / "tenfour.toml")
        assert done.returncode == 0, done.stdout + done.stderr

    def test_every_mistake_is_reported_at_once(self, tmp_path):
        config = tmp_path / "tenfour.toml"
        config.write_text(
            'region = "us-west-2"\naccount = "12"\nprofile = "azure"\n'
            '[listeners]\nmqtt = { address = "0.0.0.0:1883", open = true }\nhtpps = "x"\n'
            '[quotas]\nsend_direct_message = "many"\n'
        )
        done = tenfour("check", "--config", config)
        assert done.returncode != 0
        said = done.stdout + done.stderr
        for line in (2, 3, 5, 6, 8):
            assert f"tenfour.toml:{line}" in said, said

    def test_a_missing_file(self, tmp_path):
        done = tenfour("check", "--config", tmp_path / "nothing.toml")
        assert done.returncode != 0
        assert "nothing.toml" in done.stderr + done.stdout

    def test_open_listeners_only_on_the_loopback(self, tmp_path):
        done = tenfour("dev", "--dir", tmp_path / "d", "--open", "--ephemeral-ports",
                       "--listen", "mqtt=0.0.0.0:0")
        assert done.returncode != 0
        assert "mqtt" in done.stderr

    def test_serve_runs_a_configuration(self, template, tmp_path):
        folder = copy_folder(template, tmp_path / "served")
        ports = 'mqtts = "127.0.0.1:0"\nhttps = "127.0.0.1:0"\nadmin = "127.0.0.1:0"\n'
        text = (folder / "tenfour.toml").read_text()
        before, _, after = text.partition("[listeners]")
        config = folder / "tenfour.toml"
        config.write_text(f"{before}[listeners]\n{ports}\n[quotas]{after.partition('[quotas]')[2]}")
        ready = tmp_path / "ready.json"
        process = subprocess.Popen([str(binary()), "serve", "--config", str(config),
                                    "--ready-file", str(ready)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            wait_until(lambda: ready.exists() or process.poll() is not None, "serve", seconds=30)
            assert process.poll() is None, process.stderr.read()
            listeners = json.loads(ready.read_text())["listeners"]
            assert {"mqtts", "https", "admin"} <= listeners.keys()
            assert "mqtt" not in listeners and "http" not in listeners
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()

    def test_a_port_that_is_taken_is_named(self, server, template, tmp_path):
        folder = copy_folder(template, tmp_path / "taken")
        taken = f"https=127.0.0.1:{server.port('https')}"
        done = tenfour("dev", "--dir", folder, "--ephemeral-ports", "--listen", taken)
        assert done.returncode != 0
        assert "https" in done.stderr and str(server.port("https")) in done.stderr
        assert "--listen" in done.stderr or "--ephemeral-ports" in done.stderr


def test_demo_shows_the_whole_trip():
    done = tenfour("demo", timeout=90)
    assert done.returncode == 0, done.stderr
    said = done.stdout
    for word in ("200", "404", "504", "PUBACK", "commands/reboot"):
        assert word in said, said
