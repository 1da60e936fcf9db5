"""Senders that are commands: curl and aws."""

import json
import os
import pathlib
import subprocess
import sys

from harness.answer import Answer


def curl(server, *arguments):
    """Runs curl; returns the answer and the HTTP version."""
    command = ["curl", "--silent", "--show-error", "--cacert", server.ca, "--max-time", "30",
               "--write-out", "\n%{http_version} %{http_code} %{header_json}",
               *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    body, _, tail = done.stdout.partition(b"\n")
    version, status, headers = tail.decode().split(" ", 2)
    headers = {name.lower(): values[0] for name, values in json.loads(headers).items()}
    return Answer(int(status), headers, body), version


def aws(server, credentials, operation, *arguments, service="iot-data"):
    """Runs the aws command of the test's environment with an operation of a service."""
    command = [str(pathlib.Path(sys.executable).with_name("aws")), service, operation,
               *arguments, "--region", server.region,
               "--endpoint-url", server.url("https"), "--ca-bundle", server.ca]
    environment = {
        **os.environ, "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key, "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
