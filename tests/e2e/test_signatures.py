"""SigV4: what botocore's signer makes is accepted, everything else is refused with its reason."""

import datetime
import hashlib
import random
import string
from urllib.parse import quote, urlencode

import pytest

from harness import signing
from harness.answer import check, check_shape
from harness.population import EXPIRED, INACTIVE, TEMPORARY
from harness.senders import BotoSender, RawSender
from harness.signing import Credentials

TOPIC = "e2e/lamp"
PATH = signing.message_url("", "nobody", topic=TOPIC)
ALPHABET = string.ascii_letters + string.digits + string.punctuation + " éß灯🚦"


def random_text(source, length):
    return "".join(source.choice(ALPHABET) for _ in range(source.randint(1, length)))


def random_request(source):
    """Path, body and headers of a request that nobody would write by hand."""
    client_id = "nobody-" + random_text(source, 20)
    query = [("topic", "e2e/" + str(source.random()))]
    query += [
        (f"x{random_text(source, 8)}{n}", random_text(source, 16) if source.random() < 0.8 else "")
        for n in range(source.randint(0, 5))
    ]
    source.shuffle(query)
    encoded = urlencode(query, quote_via=quote, safe="-_.~")
    path = f"/connections/{quote(client_id, safe='-_.~')}/messages?{encoded}"
    body = source.randbytes(source.choice([0, 1, 100, 5000]))
    headers = {}
    for n in range(source.randint(0, 4)):
        words = [random_word(source) for _ in range(source.randint(1, 4))]
        padding = " " * source.randint(1, 3)
        headers[f"X-Amz-Meta-{source.choice('aBcD')}-{n}"] = padding.join(words) + padding
    return path, body, headers


def random_word(source):
    printable = string.ascii_letters + string.digits + "-_.,;:/=\"'()[]{}?!@#$%^&*+~|<>"
    return "".join(source.choice(printable) for _ in range(source.randint(1, 12)))


@pytest.mark.parametrize("service", ["iotdata", "iotdevicegateway"])
@pytest.mark.parametrize("who", ["admin", "temporary"])
def test_random_requests_signed_by_botocore_are_accepted(server, service, who):
    """Accepted means: the signature was right, so the target is looked for and not found."""
    source = random.Random(f"{service} {who}")
    credentials = server.admin if who == "admin" else TEMPORARY
    with RawSender(server, credentials) as sender:
        for n in range(75):
            path, body, headers = random_request(source)
            answer = sender.request("POST", path, body, headers, service=service)
            assert answer.status == 404, (n, path, headers, str(answer))
            assert answer.reason == "TARGET_CLIENT_ID_NOT_FOUND"


def test_random_tampering_is_always_found(server):
    """One change to a signed part of a random request breaks its signature."""
    source = random.Random(7)
    with RawSender(server, server.admin) as sender:
        for n in range(40):
            path, body, headers = random_request(source)
            url = sender.base + path
            signed = signing.sign(server.admin, "POST", url, body, headers)
            where = n % 3
            if where == 0:
                path += "&tampered=1"
            elif where == 1:
                body += b"!"
            else:
                path = path.replace("nobody-", "somebody-", 1)
            answer = sender.exchange("POST", path, body, signed)
            check_shape(answer, 403, "SECURITY_TOKEN_SIGNATURE_MISMATCH")


def test_boto3_with_a_session_token(server, log):
    boto = BotoSender(server, TEMPORARY)
    answer = boto.refused("ResourceNotFoundException", "nobody", TOPIC)
    check(answer, log, 404, "TARGET_CLIENT_ID_NOT_FOUND")


def refused(server, answer, reason):
    """Checks a refusal for who sent it, and its AuthNError entry."""
    check_shape(answer, 403, reason)
    entry = server.log.wait_for(eventType="Connection.AuthNError", traceId=answer.trace_id)
    assert (entry["status"], entry["logLevel"]) == ("Failure", "ERROR")
    assert entry["reason"] == reason
    assert entry["authenticationType"] == "AWS_SIGV4"
    assert entry["sourceIp"] == "127.0.0.1"
    return entry


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("secret", "SECURITY_TOKEN_SIGNATURE_MISMATCH"),
        ("key", "SECURITY_TOKEN_INVALID"),
        ("token", "SECURITY_TOKEN_INVALID"),
        ("expired", "SECURITY_TOKEN_EXPIRED"),
        ("inactive", "SECURITY_TOKEN_INVALID"),
    ],
)
def test_wrong_credentials(server, change, reason):
    admin = server.admin
    credentials = {
        "secret": Credentials(admin.access_key, "wrong"),
        "key": Credentials("AKIANOBODYKNOWSTHIS0", admin.secret_key),
        "token": Credentials(TEMPORARY.access_key, TEMPORARY.secret_key, "another token"),
        "expired": EXPIRED,
        "inactive": INACTIVE,
    }[change]
    with RawSender(server, credentials) as sender:
        refused(server, sender.request("POST", PATH), reason)


def test_a_session_token_that_is_left_out(server):
    without = Credentials(TEMPORARY.access_key, TEMPORARY.secret_key)
    with RawSender(server, without) as sender:
        refused(server, sender.request("POST", PATH), "SECURITY_TOKEN_INVALID")


def test_wrong_credentials_through_boto3(server):
    boto = BotoSender(server, Credentials(server.admin.access_key, "wrong"))
    answer = boto.refused("ForbiddenException", "nobody", TOPIC)
    entry = refused(server, answer, "SECURITY_TOKEN_SIGNATURE_MISMATCH")
    # Neither secret nor expected signature may leak into answer or log.
    assert server.admin.secret_key not in f"{answer} {entry}"


@pytest.mark.parametrize("minutes", [-6, 6, -60 * 24, 60 * 24 * 365])
def test_a_clock_that_is_off(server, raw, minutes):
    with signing.at(signing.now() + datetime.timedelta(minutes=minutes)):
        answer = raw.request("POST", PATH)
    refused(server, answer, "SECURITY_TOKEN_EXPIRED")


@pytest.mark.parametrize("minutes", [-4, 4])
def test_a_clock_that_is_nearly_right(raw, log, minutes):
    with signing.at(signing.now() + datetime.timedelta(minutes=minutes)):
        answer = raw.request("POST", PATH)
    check(answer, log, 404, "TARGET_CLIENT_ID_NOT_FOUND")


@pytest.mark.parametrize("scope", [{"region": "eu-central-1"}, {"service": "s3"},
                                   {"service": "iot"}])
def test_the_scope_of_another_place(server, raw, scope):
    refused(server, raw.request("POST", PATH, **scope), "SECURITY_TOKEN_INVALID")


def signed(server, path=PATH, body=b"payload", headers=None):
    return signing.sign(server.admin, "POST", server.url("https") + path, body, headers)


def test_a_tampered_body(server, raw):
    answer = raw.exchange("POST", PATH, b"another", signed(server))
    refused(server, answer, "SECURITY_TOKEN_SIGNATURE_MISMATCH")


def test_a_tampered_query(server, raw):
    answer = raw.exchange("POST", PATH + "&confirmation=true", b"payload", signed(server))
    refused(server, answer, "SECURITY_TOKEN_SIGNATURE_MISMATCH")


def test_a_tampered_header(server, raw):
    headers = signed(server, headers={"x-amz-mqtt5-correlation-data": "AAAA"})
    headers["x-amz-mqtt5-correlation-data"] = "BBBB"
    answer = raw.exchange("POST", PATH, b"payload", headers)
    refused(server, answer, "SECURITY_TOKEN_SIGNATURE_MISMATCH")


def test_a_signed_header_that_is_missing(server, raw):
    headers = signed(server, headers={"x-amz-mqtt5-correlation-data": "AAAA"})
    del headers["x-amz-mqtt5-correlation-data"]
    answer = raw.exchange("POST", PATH, b"payload", headers)
    refused(server, answer, "NOT_AUTHENTICATED")


def test_an_amz_header_that_was_not_signed(server, raw):
    """Otherwise somebody on the way could add MQTT properties."""
    headers = signed(server)
    headers["x-amz-mqtt5-correlation-data"] = "AAAA"
    answer = raw.exchange("POST", PATH, b"payload", headers)
    refused(server, answer, "NOT_AUTHENTICATED")


def test_another_host(server, raw):
    headers = signed(server)
    headers["Host"] = "elsewhere.example"
    answer = raw.exchange("POST", PATH, b"payload", headers)
    refused(server, answer, "SECURITY_TOKEN_SIGNATURE_MISMATCH")


@pytest.mark.parametrize(
    "authorization",
    [
        "", "Basic dXNlcjpwYXNzd29yZA==", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=",
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=zz",
        "AWS4-HMAC-SHA256 Credential=A/20260101/us-west-2/iotdata/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=" + "0" * 63,
        "AWS4-ECDSA-P256-SHA256 Credential=A/20260101/iotdata/aws4_request, Signature=00",
        "AWS4-HMAC-SHA256 " + "x" * 9000,
    ],
)
def test_malformed_authorization_headers(server, raw, authorization):
    headers = signed(server)
    headers["Authorization"] = authorization
    answer = raw.exchange("POST", PATH, b"payload", headers)
    assert answer.status == 403, answer
    check_shape(answer, 403, answer.reason)
    assert answer.reason in ("NOT_AUTHENTICATED", "SECURITY_TOKEN_INVALID",
                             "SECURITY_TOKEN_SIGNATURE_MISMATCH")


def test_an_unsigned_payload_passes_only_through_tls(server, log):
    headers = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    with RawSender(server, server.admin) as sender:
        answer = sender.request("POST", PATH, b"payload", headers)
        check(answer, log, 404, "TARGET_CLIENT_ID_NOT_FOUND")
    with RawSender(server, server.admin, "http") as sender:
        answer = sender.request("POST", PATH, b"payload", headers)
        assert answer.status == 403, answer


def test_a_declared_payload_hash_has_to_be_the_bodys(server, raw):
    digest = hashlib.sha256(b"payload").hexdigest()
    headers = signed(server, headers={"x-amz-content-sha256": digest})
    answer = raw.exchange("POST", PATH, b"another", headers)
    refused(server, answer, "SECURITY_TOKEN_SIGNATURE_MISMATCH")
