"""A receiver of webhooks: the standard library's HTTP server, and the scheme's own library."""

import dataclasses
import http.server
import queue
import ssl
import threading

import standardwebhooks


@dataclasses.dataclass(frozen=True)
class Delivery:
    """One request of the server, and what it was answered."""

    path: str
    headers: dict
    body: bytes
    status: int

    @property
    def id(self):
        """The same over all attempts."""
        return self.headers["webhook-id"]

    def verified(self, secret):
        """The receipt, once the library has checked the signature."""
        return standardwebhooks.Webhook(secret).verify(self.body, self.headers)


class WebhookReceiver:
    """Answers each request with the next of `statuses`, the last of them from then on; with None it
    does not answer until it is closed. `deliveries` has what came."""

    def __init__(self, *statuses, certificate=None):
        self.statuses = list(statuses) or [204]
        self.deliveries = queue.Queue()
        self.closed = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One connection, which is kept."""

            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                """A receipt."""
                body = self.rfile.read(int(self.headers["content-length"]))
                status = receiver.next_status()
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.deliveries.put(Delivery(self.path, headers, body, status))
                if status is None:
                    receiver.closed.wait()
                    return
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Says nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self._lock = threading.Lock()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next_status(self):
        """The status of the next answer."""
        with self._lock:
            return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def delivery(self, seconds=30):
        """The next request."""
        return self.deliveries.get(timeout=seconds)

    def close(self):
        """Is gone: nobody listens there any more."""
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
