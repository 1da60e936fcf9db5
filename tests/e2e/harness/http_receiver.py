"""A server that takes what Tenfour posts: the standard library's HTTP server."""

import dataclasses
import http.server
import queue
import ssl
import threading


@dataclasses.dataclass(frozen=True)
class Delivery:
    """One request of the server, and the status that it was answered."""

    path: str
    headers: dict
    body: bytes
    status: int


@dataclasses.dataclass(frozen=True)
class Reply:
    """An answer that is more than a status."""

    status: int
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    # It is held back until this is set.
    until: threading.Event | None = None


class HttpReceiver:
    """Answers each request with the next of `replies`, the last of them from then on; a number is a
    status, and with None it does not answer until it is closed. `deliveries` has what came."""

    delivery_type = Delivery

    def __init__(self, *replies, certificate=None, port=0):
        self.replies = list(replies) or [204]
        self.deliveries = queue.Queue()
        self.closed = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One connection, which is kept."""

            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                """Something that is posted."""
                body = self.rfile.read(int(self.headers["content-length"]))
                reply = receiver.next_reply()
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = reply and reply.status
                receiver.take(receiver.delivery_type(self.path, headers, body, status))
                if reply is None:
                    receiver.closed.wait()
                    return
                receiver.closed.wait(reply.seconds)
                if reply.until:
                    reply.until.wait()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_):
                """Says nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self._lock = threading.Lock()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next_reply(self):
        """The next answer; None for none."""
        with self._lock:
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return Reply(reply) if isinstance(reply, int) else reply

    def take(self, delivery):
        """Something came."""
        self.deliveries.put(delivery)

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
