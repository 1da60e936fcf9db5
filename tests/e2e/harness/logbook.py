"""The server's log: JSON lines, read as they come."""

import json

from harness.patience import wait_until

ALWAYS = {"timestamp", "logLevel", "traceId", "accountId", "status", "eventType"}


class Logbook:
    """All entries of one log file so far."""

    def __init__(self, path):
        self.path = path
        self._offset = 0
        self._entries = []

    def entries(self, **members):
        """Entries so far whose members have these values."""
        self._read()
        return [
            entry
            for entry in self._entries
            if all(entry.get(name) == value for name, value in members.items())
        ]

    def wait_for(self, seconds=15.0, **members):
        """The first entry with these values, waiting for it if it is not there yet."""
        found = wait_until(lambda: self.entries(**members), f"log entry {members}", seconds)
        return found[0]

    def the_send(self, trace_id):
        """The one SendDirectMessage entry of a request."""
        entry = self.wait_for(eventType="SendDirectMessage", traceId=trace_id)
        assert len(self.entries(eventType="SendDirectMessage", traceId=trace_id)) == 1
        assert ALWAYS <= entry.keys(), entry
        return entry

    def duplicates(self):
        """Trace IDs that have more than one SendDirectMessage entry."""
        seen, twice = set(), []
        for entry in self.entries(eventType="SendDirectMessage"):
            if entry["traceId"] in seen:
                twice.append(entry["traceId"])
            seen.add(entry["traceId"])
        return twice

    def mark(self):
        """A place in the log; `since` gives what was written after it."""
        self._read()
        return len(self._entries)

    def since(self, mark, **members):
        """Entries after a mark whose members have these values."""
        matching = self.entries(**members)
        fresh = self._entries[mark:]
        return [entry for entry in matching if any(entry is other for other in fresh)]

    def wait_since(self, mark, seconds=15.0, **members):
        """The first entry after a mark with these values, waiting for it."""
        what = f"log entry {members} after a mark"
        return wait_until(lambda: self.since(mark, **members), what, seconds)[0]

    def _read(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self._offset)
                fresh = file.read()
        except FileNotFoundError:
            return
        complete = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(complete)
        self._entries += [json.loads(line) for line in complete.splitlines()]
