"""SigV4 by botocore's own signer, for requests that no SDK builds."""

import dataclasses
import datetime
from unittest import mock
from urllib.parse import quote, urlencode, urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials


@dataclasses.dataclass(frozen=True)
class Credentials:
    """An access key, with the session token of temporary credentials."""

    access_key: str
    secret_key: str
    token: str = None

    @staticmethod
    def of_ready(entry):
        """The form in the ready file."""
        return Credentials(entry["access_key_id"], entry["secret_access_key"])

    def botocore(self):
        """The form botocore takes."""
        return BotocoreCredentials(self.access_key, self.secret_key, self.token)


def at(moment):
    """Makes botocore's signers believe it is another time (a datetime in UTC)."""
    return mock.patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: moment)


def now():
    """The time as botocore's signers want it."""
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


def message_url(base, client_id, **query):
    """URL of SendDirectMessage, percent-encoded as boto3 does it."""
    url = f"{base}/connections/{quote(client_id, safe='-_.~')}/messages"
    if query:
        url += "?" + urlencode(query, quote_via=quote, safe="-_.~")
    return url


def sign(credentials, method, url, body=b"", headers=None, region="us-west-2", service="iotdata"):
    """Headers of a signed request, the given ones included."""
    request = AWSRequest(method=method, url=url, data=body, headers=headers or {})
    request.headers["Host"] = urlsplit(url).netloc
    botocore.auth.SigV4Auth(credentials.botocore(), service, region).add_auth(request)
    return dict(request.headers.items())


def websocket_path(credentials, host, region="us-west-2", expires=300, token_signed=False):
    """Path and query of a `/mqtt` WebSocket URL.

    AWS IoT wants the session token outside the signature; some presigners sign it as well.
    """
    signer = credentials
    if not token_signed:
        signer = Credentials(credentials.access_key, credentials.secret_key)
    request = AWSRequest(method="GET", url=f"https://{host}/mqtt")
    request.headers["Host"] = host
    auth = botocore.auth.SigV4QueryAuth(
        signer.botocore(), "iotdevicegateway", region, expires=expires
    )
    auth.add_auth(request)
    url = urlsplit(request.url)
    path = f"{url.path}?{url.query}"
    if credentials.token and not token_signed:
        path += "&X-Amz-Security-Token=" + quote(credentials.token, safe="")
    return path
