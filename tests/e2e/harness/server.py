"""The server under test: the unmodified binary, started as a user starts it."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import urllib.request

from harness.logbook import Logbook
from harness.patience import wait_until
from harness.registry import Registry
from harness.signing import Credentials


def binary():
    """The program under test; `cargo xtask e2e` sets the variable."""
    given = os.environ.get("TENFOUR_BIN")
    if given:
        return pathlib.Path(given)
    return pathlib.Path(__file__).parents[3] / "target" / "debug" / "tenfour"


class Server:
    """One running `tenfour dev`, on ports of its own."""

    def __init__(self, folder, *flags):
        self.folder = folder
        self.registry = Registry(folder / "registry")
        self.ready_file = folder / "ready.json"
        self.ready_file.unlink(missing_ok=True)
        self.output = folder.parent / f"{folder.name}.output.txt"
        command = [str(binary()), "dev", "--dir", str(folder), "--ephemeral-ports",
                   "--ready-file", str(self.ready_file), *flags]
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output,
                                            stdin=subprocess.DEVNULL, cwd=folder.parent)
        self.is_told_to_end = False
        wait_until(self._is_ready, "the ready file", seconds=30)
        self.ready = json.loads(self.ready_file.read_text())
        self.log = Logbook(self.ready["log"])

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended at its start:\n{self.printed()}")
        return self.ready_file.exists()

    def printed(self):
        """Everything the server wrote to its terminal."""
        return self.output.read_text(errors="replace")

    def address(self, listener):
        """Host and port of a listener."""
        host, _, port = self.ready["listeners"][listener].rpartition(":")
        return host, int(port)

    def port(self, listener):
        """Port of a listener."""
        return self.address(listener)[1]

    def url(self, listener, path=""):
        """URL of a listener; TLS listeners by the name in the server's certificate."""
        if listener in ("http", "admin"):
            return f"http://127.0.0.1:{self.port(listener)}{path}"
        return f"https://localhost:{self.port(listener)}{path}"

    @property
    def ca(self):
        """Path of the CA that signed the server's certificate."""
        return self.ready["ca"]

    @property
    def region(self):
        """The configured region."""
        return self.ready["region"]

    @property
    def admin(self):
        """The access key that may do everything."""
        return Credentials.of_ready(self.ready["admin"])

    @property
    def sender(self):
        """The access key with the announcement's sender policy."""
        return Credentials.of_ready(self.ready["sender"])

    def get_admin(self, path):
        """Status and text of a page of the admin listener."""
        with urllib.request.urlopen(self.url("admin", path), timeout=10) as answer:
            return answer.status, answer.read().decode()

    def metrics(self):
        """All samples of `/metrics`: name with labels -> value."""
        samples = {}
        for line in self.get_admin("/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                samples[name] = float(value)
        return samples

    def is_alive(self):
        """Whether the process runs and answers."""
        return self.process.poll() is None and self.get_admin("/healthz")[0] == 200

    def terminate(self):
        """Sends SIGTERM and does not wait."""
        self.is_told_to_end = True
        self.process.send_signal(signal.SIGTERM)

    def stop(self, seconds=30):
        """SIGTERM, unless it was sent already: a second one would cut the drain short. Returns the
        exit status."""
        if self.process.poll() is None and not self.is_told_to_end:
            self.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise AssertionError("the server ignored SIGTERM") from None


def copy_folder(template, folder):
    """A data folder like another one, without what a run left behind."""
    ignored = shutil.ignore_patterns("log.jsonl*", "ready*.json", "store", "logs")
    shutil.copytree(template, folder, ignore=ignored)
    return folder
