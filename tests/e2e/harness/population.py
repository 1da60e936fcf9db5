"""Who the tests are: certificates and access keys, registered before the server starts."""

import dataclasses
import datetime

from harness import certificates
from harness.certificates import Certificate
from harness.registry import allow
from harness.signing import Credentials

TEMPORARY = Credentials("ASIAE2ETEMPORARY0001", "secret/of+the=temporary/key", "to/ken+with=odd")
EXPIRED = Credentials("ASIAE2EEXPIRED000001", "secret of the expired key", "expired-token")
INACTIVE = Credentials("AKIAE2EINACTIVE00001", "secret of the inactive key")
# May look at every connection without the addresses of its socket, and nothing else.
ONLOOKER = Credentials("AKIAE2EONLOOKER00001", "secret of the onlooker's key")
NARROW = Credentials("AKIAE2ENARROW0000001", "secret of the narrow key")


@dataclasses.dataclass(frozen=True)
class Population:
    """Certificates by what they are for."""

    # Any client ID; e2e/* and commands/* in both directions.
    fleet: Certificate
    # Client IDs narrow-*; only topics e2e/allowed/*.
    narrow: Certificate
    # A device that may also send to every client.
    gateway: Certificate
    # A device that may do everything.
    anything: Certificate
    # As fleet, but X.509 version 1.
    version_1: Certificate
    # Registered, but not active.
    inactive: Certificate
    # Registered, then revoked.
    revoked: Certificate
    # Not registered at all.
    stranger: Certificate


def populate(registry, folder):
    """Registers everybody; `folder` takes the certificates and keys."""
    folder.mkdir()
    people = Population(
        version_1=certificates.make_version_1(folder, "version_1"),
        **{
            name: certificates.make(folder, name)
            for name in ("fleet", "narrow", "gateway", "anything", "inactive", "revoked",
                         "stranger")
        },
    )
    _policies(registry)
    registry.certificate("fleet", people.fleet, ["fleet"])
    registry.certificate("version_1", people.version_1, ["fleet"])
    registry.certificate("narrow", people.narrow, ["narrow"])
    registry.certificate("gateway", people.gateway, ["fleet", "gateway"])
    registry.certificate("anything", people.anything, ["anything"])
    registry.certificate("inactive", people.inactive, ["fleet"], status="INACTIVE")
    registry.certificate("revoked", people.revoked, ["fleet"], status="REVOKED")
    _senders(registry)
    return people


def _policies(registry):
    topics = ["topic/e2e/*", "topic/commands/*"]
    filters = ["topicfilter/e2e/*", "topicfilter/commands/*", "topicfilter/+/*", "topicfilter/#"]
    registry.policy(
        "fleet",
        allow("iot:Connect", "client/*"),
        allow(["iot:Publish", "iot:Receive"], topics),
        allow("iot:Subscribe", filters),
    )
    registry.policy(
        "narrow",
        allow("iot:Connect", "client/narrow-*"),
        allow(["iot:Publish", "iot:Receive"], "topic/e2e/allowed/*"),
        allow("iot:Subscribe", "topicfilter/e2e/allowed/*"),
    )
    registry.policy("anything", allow("iot:*", "*"))
    registry.policy("gateway", allow("iot:SendDirectMessage", "client/*"))
    registry.policy(
        "onlooker",
        allow("iot:GetConnection", "client/*",
              Bool={"iot:IncludeSocketInformation": "false"}),
    )
    registry.policy(
        "narrow-sender",
        allow(
            "iot:SendDirectMessage",
            "client/narrow-*",
            StringLike={"iot:Topic": "e2e/allowed/*"},
        ),
    )


def _senders(registry):
    tomorrow = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    registry.sender("temporary", TEMPORARY, ["admin"],
                    expires=tomorrow.strftime("%Y-%m-%dT%H:%M:%SZ"))
    registry.sender("expired", EXPIRED, ["admin"], expires="2026-01-01T00:00:00Z")
    registry.sender("inactive", INACTIVE, ["admin"], status="INACTIVE")
    registry.sender("narrow", NARROW, ["narrow-sender"])
    registry.sender("onlooker", ONLOOKER, ["onlooker"])
