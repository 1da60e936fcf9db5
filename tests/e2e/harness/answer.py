"""An HTTP answer, and what every answer to SendDirectMessage has to look like."""

import dataclasses
import json
import re

TRACE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

ERROR_NAMES = {
    400: "InvalidRequestException", 403: "ForbiddenException", 404: "ResourceNotFoundException",
    405: "MethodNotAllowedException", 408: "InvalidRequestException", 409: "ConflictException",
    413: "RequestEntityTooLargeException", 415: "UnsupportedDocumentEncodingException",
    429: "ThrottlingException",
    500: "InternalFailureException", 503: "ServiceUnavailableException",
    504: "GatewayTimeoutException",
}


@dataclasses.dataclass(frozen=True)
class Answer:
    """Status, headers by lower-case name, body."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def trace_id(self):
        """The request ID."""
        return self.headers["x-amzn-requestid"]

    @property
    def reason(self):
        """The machine-readable word of a refusal; None on success."""
        return self.json.get("reason")

    def __str__(self):
        return f"{self.status} {self.body[:300]!r}"


def check_shape(answer, status, reason=None):
    """Status, headers and body of the contract, no matter what the log says."""
    assert answer.status == status, answer
    assert answer.headers["content-type"].startswith("application/json")
    body = answer.json
    assert TRACE_ID.fullmatch(answer.trace_id), answer.trace_id
    assert body["traceId"] == answer.trace_id
    assert isinstance(body["message"], str) and body["message"]
    if status == 200:
        assert body == {"message": "OK", "traceId": answer.trace_id}
        assert "x-amzn-errortype" not in answer.headers
        return
    assert answer.headers["x-amzn-errortype"] == ERROR_NAMES[status] + ":"
    assert body["reason"] == reason, answer
    if status == 429:
        assert int(answer.headers["retry-after"]) >= 1


def check(answer, log, status, reason=None, **members):
    """The shape of an answer, and its one log entry, which is returned."""
    check_shape(answer, status, reason)
    entry = log.the_send(answer.trace_id)
    assert entry["protocol"] == "HTTP"
    if status == 200:
        assert (entry["status"], entry["logLevel"]) == ("Success", "INFO"), entry
        assert "reason" not in entry, entry
    else:
        assert (entry["status"], entry["logLevel"]) == ("Failure", "ERROR"), entry
        assert entry["reason"] == reason, entry
        assert entry["details"], entry
    assert entry["principalId"] and entry["sourceIp"] == "127.0.0.1", entry
    assert isinstance(entry["sourcePort"], int), entry
    for name, value in members.items():
        assert entry.get(name) == value, (name, entry)
    return entry
