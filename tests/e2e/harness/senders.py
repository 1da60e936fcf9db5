"""Senders: boto3, and requests whose every byte a test decides."""

import http.client
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from harness import signing
from harness.answer import Answer
from harness.wire_device import tls_context


def boto3_client(server, credentials, url=None, service="iot-data", **config):
    """An unmodified boto3 client. One attempt, so that a test sees every answer."""
    config.setdefault("retries", {"total_max_attempts": 1})
    return boto3.client(
        service,
        region_name=server.region,
        endpoint_url=url or server.url("https"),
        verify=server.ca,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
        config=Config(**config),
    )


class BotoSender:
    """boto3, with the HTTP answer behind each result kept."""

    def __init__(self, server, credentials, **options):
        self.client = boto3_client(server, credentials, **options)
        self.client.meta.events.register("after-call.iot-data", self._keep)
        self.answer = None

    def _keep(self, http_response, **_):
        headers = {name.lower(): value for name, value in http_response.headers.items()}
        self.answer = Answer(http_response.status_code, headers, http_response.content)

    def call(self, operation, **parameters):
        """Any operation of the service; returns what boto3 makes of the answer."""
        return getattr(self.client, operation)(**parameters)

    def refused_call(self, name, operation, **parameters):
        """An operation that has to raise this exception of the model; returns the answer."""
        with pytest.raises(getattr(self.client.exceptions, name)) as caught:
            self.call(operation, **parameters)
        response = caught.value.response
        assert response["Error"]["Code"] == name
        assert response["Error"]["Message"] == self.answer.json["message"]
        assert response["ResponseMetadata"]["RequestId"] == self.answer.trace_id
        return self.answer

    def send(self, client_id, topic, **parameters):
        """Sends; returns the HTTP answer of a success."""
        result = self.call("send_direct_message", clientId=client_id, topic=topic, **parameters)
        assert result["message"] == "OK"
        assert result["traceId"] == self.answer.trace_id
        return self.answer

    def refused(self, name, client_id, topic, **parameters):
        """Sends what has to raise this exception of the service model; returns the answer."""
        return self.refused_call(name, "send_direct_message", clientId=client_id, topic=topic,
                                 **parameters)

    def publish(self, topic, **parameters):
        """Publish; returns the HTTP answer of a success."""
        self.call("publish", topic=topic, **parameters)
        return self.answer


class RawSender:
    """Signed requests over one kept HTTP/1.1 connection, with nothing added or checked."""

    def __init__(self, server, credentials=None, listener="https", certificate=None, alpn=()):
        self.server = server
        self.credentials = credentials
        self.base = server.url(listener)
        host = urlsplit(self.base).netloc
        if listener in ("http", "admin"):
            self.connection = http.client.HTTPConnection(host, timeout=30)
        else:
            context = tls_context(server.ca, certificate, alpn)
            self.connection = http.client.HTTPSConnection(host, timeout=30, context=context)

    def send(self, client_id, topic, body=b"", headers=None, **query):
        """SendDirectMessage."""
        url = signing.message_url(self.base, client_id, topic=topic, **query)
        return self.request("POST", url[len(self.base):], body, headers)

    def request(self, method, path, body=b"", headers=None, **scope):
        """Any request, signed for region and service unless there are no credentials."""
        headers = dict(headers or {})
        if self.credentials:
            url = self.base + path
            headers = signing.sign(self.credentials, method, url, body, headers, **scope)
        return self.exchange(method, path, body, headers)

    def exchange(self, method, path, body, headers):
        """A request as it is; returns the answer."""
        self.connection.putrequest(method, path, skip_host="Host" in headers,
                                   skip_accept_encoding=True)
        for name, value in headers.items():
            self.connection.putheader(name, value)
        if "Transfer-Encoding" not in headers and "Content-Length" not in headers:
            self.connection.putheader("Content-Length", str(len(body)))
        self.connection.endheaders(body)
        return self.read()

    def read(self):
        """The answer to what was sent."""
        response = self.connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())

    def close(self):
        """Drops the connection."""
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
