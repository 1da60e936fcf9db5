"""A request of HTTP/2 that can be given up while its connection stays."""

import h2.connection
import h2.errors
import h2.events
import h2.settings

from harness import signing
from harness.wire_device import open_socket


class Http2Stream:
    """One request on a connection of HTTP/2, which no client library would reset on demand."""

    def __init__(self, server, path, body, window=None):
        self.sock = open_socket(server, "http")
        self.connection = h2.connection.H2Connection()
        self.connection.initiate_connection()
        if window is not None:
            self.connection.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        url = server.url("http") + path
        headers = signing.sign(server.admin, "POST", url, body)
        host = headers.pop("Host")
        self.connection.send_headers(1, [
            (":method", "POST"), (":path", path), (":scheme", "http"), (":authority", host),
            *((name.lower(), value) for name, value in headers.items())])
        self.connection.send_data(1, body, end_stream=True)
        self._flush()

    def _flush(self):
        self.sock.sendall(self.connection.data_to_send())

    def data(self):
        """The next piece of the answer."""
        while True:
            for event in self.connection.receive_data(self.sock.recv(65536)):
                if isinstance(event, h2.events.DataReceived):
                    return event.data
            self._flush()

    def end(self):
        """How the server ends the stream: the code of its reset, or None for an end without one."""
        while True:
            for event in self.connection.receive_data(self.sock.recv(65536)):
                if isinstance(event, h2.events.StreamReset):
                    return event.error_code
                if isinstance(event, h2.events.StreamEnded):
                    return None
            self._flush()

    def reset(self):
        """Gives the request up, and keeps the connection."""
        self.connection.reset_stream(1, h2.errors.ErrorCodes.CANCEL)
        self._flush()

    def is_open(self):
        """Whether the connection answers a ping."""
        self.connection.ping(b"12345678")
        self._flush()
        while fresh := self.sock.recv(65536):
            events = self.connection.receive_data(fresh)
            if any(isinstance(event, h2.events.PingAckReceived) for event in events):
                return True
        return False
