"""`tenfour sender`: access keys made, listed and revoked while the server runs."""

import concurrent.futures
import json
import os
import stat
import subprocess

import pytest
from botocore.exceptions import ClientError

from harness.patience import wait_until
from harness.registry import ARN, allow
from harness.senders import BotoSender
from harness.server import Server, binary, copy_folder
from harness.signing import Credentials

LAMPS = [allow("iot:Publish", "topic/lamps/*"),
         {"Effect": "Allow", "Action": "iot:SendDirectMessage", "Resource": f"{ARN}client/lamp-*"}]


@pytest.fixture(scope="module")
def running(start):
    """A server whose folder the commands change."""
    server = start("sender-command", "--unlimited")
    yield server
    assert server.stop() == 0
    assert "panicked" not in server.printed()


@pytest.fixture
def policy(tmp_path, client_id):
    """A file with an IAM policy."""
    return written(tmp_path, f"policy-{client_id}", *LAMPS)


def written(folder, name, *statements):
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    return file


def run(folder, *arguments):
    """Runs `tenfour sender` on a data folder."""
    command = [str(binary()), "sender", *map(str, arguments), "--dir", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def made(folder, name, policy):
    """Makes a sender; returns its credentials."""
    done = run(folder, "create", name, "--policy", policy, "--json")
    assert done.returncode == 0, done.stderr
    key = json.loads(done.stdout)["AccessKey"]
    assert key["UserName"] == name and key["Status"] == "Active"
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def error_of(server, credentials, topic="lamps/a"):
    """The error that a publish with these credentials ends in and its reason; none for a success."""
    sender = BotoSender(server, credentials)
    try:
        sender.publish(topic, payload=b"x")
    except ClientError as refused:
        return refused.response["Error"]["Code"], sender.answer.reason
    return None


def works(server, credentials):
    """Waits until the server knows the credentials."""
    wait_until(lambda: error_of(server, credentials) is None, "the key is taken up", seconds=30)


def test_a_new_sender_may_do_what_its_policy_says_and_no_more(running, client_id, policy):
    credentials = made(running.folder, client_id, policy)
    assert len(credentials.access_key) == 20 and credentials.access_key.startswith("AKIA")
    assert len(credentials.secret_key) == 40
    works(running, credentials)
    error, _ = error_of(running, credentials, "other")
    assert error == "ForbiddenException"
    sender = BotoSender(running, credentials)
    sender.refused("ResourceNotFoundException", "lamp-1", "a")
    sender.refused("ForbiddenException", "fan-1", "a")


def test_what_is_printed_is_for_a_shell(running, client_id, policy):
    done = run(running.folder, "create", client_id, "--policy", policy)
    assert done.returncode == 0, done.stderr
    shell = f"{done.stdout}\nprintf '%s %s' \"$AWS_ACCESS_KEY_ID\" \"$AWS_SECRET_ACCESS_KEY\""
    said = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout
    works(running, Credentials(*said.split(" ")))


def test_the_file_is_its_owners_and_the_policy_is_beside_it(running, client_id, policy):
    credentials = made(running.folder, client_id, policy)
    file = running.folder / "registry" / "senders" / f"{client_id}.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert credentials.secret_key in file.read_text()
    beside = running.folder / "registry" / "policies" / policy.name
    assert beside.read_text() == policy.read_text()
    hidden = [name for name in os.listdir(file.parent) if name.startswith(".")]
    assert hidden == []
    check = subprocess.run([str(binary()), "check", "--config", running.folder / "tenfour.toml"],
                           capture_output=True, text=True, timeout=60)
    assert check.returncode == 0 and file.name not in check.stdout


def test_senders_are_listed_without_their_secrets(running, client_id, policy):
    credentials = made(running.folder, client_id, policy)
    done = run(running.folder, "list")
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith(client_id))
    assert row.split() == [client_id, credentials.access_key, "ACTIVE", policy.stem]
    as_json = run(running.folder, "list", "--json")
    listed = {sender["name"]: sender for sender in json.loads(as_json.stdout)["senders"]}
    assert listed[client_id]["accessKeyId"] == credentials.access_key
    assert listed[client_id]["policies"] == [policy.stem]
    assert listed["temporary"]["expires"]
    for secret in (credentials.secret_key, running.admin.secret_key):
        assert secret not in done.stdout + as_json.stdout + done.stderr + as_json.stderr


@pytest.mark.parametrize("by", ["name", "key"])
def test_a_revoked_key_is_refused_within_moments(running, client_id, policy, by):
    credentials = made(running.folder, client_id, policy)
    works(running, credentials)
    done = run(running.folder, "revoke", client_id if by == "name" else credentials.access_key)
    assert done.returncode == 0, done.stderr
    assert client_id in done.stdout and policy.name in done.stdout
    error, reason = wait_until(lambda: error_of(running, credentials), "the key is refused",
                               seconds=30)
    assert (error, reason) == ("ForbiddenException", "SECURITY_TOKEN_INVALID")
    again = run(running.folder, "revoke", client_id)
    assert again.returncode == 1 and "there is no sender" in again.stderr


def test_keys_are_rotated_with_two_senders_of_one_policy(running, client_id, policy):
    first, second = (made(running.folder, f"{client_id}-{n}", policy) for n in (1, 2))
    works(running, first)
    works(running, second)
    done = run(running.folder, "revoke", f"{client_id}-1")
    assert done.returncode == 0 and policy.name not in done.stdout
    wait_until(lambda: error_of(running, first), "the old key is refused", seconds=30)
    assert error_of(running, second) is None


def test_only_one_of_several_at_once_has_the_name(running, client_id, policy):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(
            lambda _: run(running.folder, "create", client_id, "--policy", policy, "--json"),
            range(8)))
    good = [one for one in done if one.returncode == 0]
    assert len(good) == 1
    key = json.loads(good[0].stdout)["AccessKey"]
    works(running, Credentials(key["AccessKeyId"], key["SecretAccessKey"]))


BROKEN = '{\n  "Version": "2012-10-17",\n  "Statement": {"Effect": "Perhaps"}\n}\n'


@pytest.fixture
def folder(template, tmp_path):
    """A data folder without a server, and everything in its registry."""
    return copy_folder(template, tmp_path / "data")


def contents(folder):
    """Every file of the registry with its text, hidden ones too."""
    return {path: path.read_bytes() for path in sorted((folder / "registry").rglob("*"))
            if path.is_file()}


def refused(folder, *arguments, status=1):
    """Runs a command that has to be refused without a trace; returns what it said."""
    before = contents(folder)
    done = run(folder, *arguments)
    assert (done.returncode, done.stdout) == (status, ""), done
    assert contents(folder) == before
    return done.stderr


def test_nothing_is_written_for_a_policy_that_cannot_be_used(folder, tmp_path):
    file = tmp_path / "broken.json"
    file.write_text(BROKEN)
    said = refused(folder, "create", "new", "--policy", file)
    assert f"{file}:3: column" in said and "Effect" in said and "nothing was written" in said
    said = refused(folder, "create", "new", "--policy", tmp_path / "none.json")
    assert "none.json: cannot be read" in said
    file.write_bytes(b"\xff")
    assert "cannot be read" in refused(folder, "create", "new", "--policy", file)


def test_nothing_is_written_over_what_is_there(folder, tmp_path, policy):
    said = refused(folder, "create", "admin", "--policy", policy)
    assert "senders/admin.toml: exists already" in said
    other = written(tmp_path, "backend", *LAMPS)
    said = refused(folder, "create", "new", "--policy", other)
    assert "says something else" in said and "rename" in said
    # The same policy may have the same name.
    same = tmp_path / "elsewhere" / "backend.json"
    same.parent.mkdir()
    same.write_bytes((folder / "registry" / "policies" / "backend.json").read_bytes())
    assert run(folder, "create", "new", "--policy", same).returncode == 0


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../up", "ä", "x" * 129, "two words"])
def test_a_name_that_can_be_none_is_refused(folder, policy, name):
    assert "is no name" in refused(folder, "create", name, "--policy", policy)


def test_what_is_missing_or_wrong_elsewhere_is_told(folder, tmp_path, policy):
    assert "--policy" in refused(folder, "create", "new", status=2)
    assert "tenfour dev" in run(tmp_path / "nowhere", "list").stderr
    broken = folder / "registry" / "senders" / "broken.toml"
    broken.write_text("access_key_id = 7\n")
    said = refused(folder, "create", "new", "--policy", policy)
    assert "broken.toml:1" in said and "nothing was written" in said
    listed = run(folder, "list")
    assert listed.returncode == 1 and "broken.toml:1" in listed.stderr
    assert "admin" in listed.stdout
    # The key is gone, but a running server would not hear of it.
    revoked = run(folder, "revoke", "backend")
    assert revoked.returncode == 1 and "goes on accepting" in revoked.stderr
    assert not (folder / "registry" / "senders" / "backend.toml").exists()
    assert run(folder, "revoke", "broken").returncode == 0


def test_one_who_is_not_there_is_told_from_those_who_are(folder):
    said = refused(folder, "revoke", "bakend")
    assert "did you mean backend?" in said
    assert "there is no sender" in refused(folder, "revoke", "../policies/admin")


def test_a_server_that_starts_later_knows_the_sender(folder, policy):
    # What an earlier command left when it was killed is nobody's business.
    left = folder / "registry" / "senders" / ".new.toml.new"
    left.write_text("access_key_id = ")
    credentials = made(folder, "new", policy)
    server = Server(folder, "--unlimited")
    try:
        assert error_of(server, credentials) is None
    finally:
        assert server.stop() == 0


def test_the_sender_that_a_listener_needs_stays(folder):
    config = folder / "tenfour.toml"
    text = config.read_text()
    assert '"certificates/myDevice"' in text
    config.write_text(text.replace('"certificates/myDevice"', '"senders/backend"'))
    said = run(folder, "revoke", "backend").stderr
    assert "senders/backend" in said
    assert (folder / "registry" / "senders" / "backend.toml").exists()
