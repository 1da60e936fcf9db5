"""What is kept of the log to be read back, and for how long."""


import pytest

from harness.kept_log import GROUP, about, everything, failed_sends, trace_ids, wait_for
from harness.patience import wait_until
from harness.senders import BotoSender, boto3_client
from harness.server import Server


def kept_files(server):
    return sorted((server.folder / "logs").glob("*.jsonl"))


def test_entries_outlive_the_process_and_a_torn_end(start, client_id):
    server = start("logs-restart")
    sent = failed_sends(BotoSender(server, server.admin), client_id, 3)
    logs = boto3_client(server, server.admin, service="logs")
    before = wait_for(logs, client_id, 3)
    assert server.stop() == 0
    with open(kept_files(server)[-1], "ab") as newest:
        newest.write(b'{"timestamp":"2026-11-26 00:00:00.000","clientId":"' + client_id.encode())
    server = Server(server.folder)
    try:
        logs = boto3_client(server, server.admin, service="logs")
        assert wait_for(logs, client_id, 3) == before, "with the same IDs"
        more = failed_sends(BotoSender(server, server.admin), client_id, 2)
        assert trace_ids(wait_for(logs, client_id, 5)) == sent + more
    finally:
        assert server.stop() == 0


def test_a_small_ring_keeps_the_newest(start, client_id):
    limit = 128 * 1024
    server = start("logs-small", "--unlimited",
                   settings=f'[log]\nfile = "log.jsonl"\nlevel = "INFO"\nkept_bytes = {limit}')
    try:
        boto = BotoSender(server, server.admin)
        logs = boto3_client(server, server.admin, service="logs")
        sent = []
        while len(kept_files(server)) < 2 or kept_files(server)[0].name.startswith("00000001-"):
            sent += failed_sends(boto, client_id, 50)
        wait_until(lambda: trace_ids(everything(logs, **about(client_id)))[-1:] == sent[-1:],
                   "the newest entry")
        kept = trace_ids(everything(logs, **about(client_id)))
        assert 50 < len(kept) < len(sent)
        assert kept == sent[-len(kept):]
        assert sum(file.stat().st_size for file in kept_files(server)) <= limit
        assert logs.describe_log_groups()["logGroups"][0]["storedBytes"] <= limit
    finally:
        assert server.stop() == 0


def test_without_a_store_entries_are_kept_in_memory(start, client_id):
    server = start("logs-memory", settings='[store]\ndurability = "memory"')
    try:
        sent = failed_sends(BotoSender(server, server.admin), client_id, 3)
        logs = boto3_client(server, server.admin, service="logs")
        assert trace_ids(wait_for(logs, client_id, 3)) == sent
        assert not (server.folder / "logs").exists()
    finally:
        assert server.stop() == 0


def test_a_ring_that_is_switched_off_has_no_group(start):
    server = start("logs-off",
                   settings='[log]\nfile = "log.jsonl"\nlevel = "INFO"\nkept_bytes = 0')
    try:
        logs = boto3_client(server, server.admin, service="logs")
        assert logs.describe_log_groups()["logGroups"] == []
        with pytest.raises(logs.exceptions.ResourceNotFoundException):
            logs.filter_log_events(logGroupName=GROUP)
        assert not (server.folder / "logs").exists()
    finally:
        assert server.stop() == 0


def test_a_ring_that_cannot_be_written_costs_entries_and_nothing_else(start, client_id):
    server = start("logs-broken")
    try:
        boto = BotoSender(server, server.admin)
        logs = boto3_client(server, server.admin, service="logs")
        failed_sends(boto, client_id, 1)
        wait_for(logs, client_id, 1)
        folder = server.folder / "logs"
        # No more segments can be begun, and the present one is soon full.
        moved = folder.rename(server.folder / "elsewhere")
        metric = "tenfour_log_entries_not_kept_total"
        assert server.metrics()[metric] == 0
        padding = "e2e/" + "x" * 120
        for _ in range(60):
            for _ in range(200):
                boto.refused("ResourceNotFoundException", "y" * 120, padding)
            if server.metrics()[metric] > 0:
                break
        else:
            pytest.skip("the segment was too large to fill in this time")
        moved.rename(folder)
        last = f"{client_id}-after"
        failed_sends(boto, last, 1)
        wait_for(logs, last, 1)
        assert server.printed().count("cannot keep log entries") == 1
    finally:
        assert server.stop() == 0
