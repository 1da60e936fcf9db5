"""MQTT's WebSocket, frame by frame: what no library lets a client do wrong."""

import base64
import os

BINARY, TEXT = 0x2, 0x1


class WebSocket:
    """The client's side of an upgraded connection; reads and writes like a socket."""

    def __init__(self, sock, host, path="/mqtt", protocol="mqtt"):
        self.sock = sock
        self._bytes = b""
        key = base64.b64encode(os.urandom(16)).decode()
        offer = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
        sock.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"{offer}\r\n".encode()
        )
        head = self._until(b"\r\n\r\n").decode().split("\r\n")
        self.status = int(head[0].split()[1])
        pairs = (line.partition(":") for line in head[1:] if line)
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}

    def send_frame(self, payload, kind=BINARY, final=True, first=True):
        """One masked frame; a message of several has `first` and `final` ones."""
        mask = os.urandom(4)
        head = bytes([(0x80 if final else 0) | (kind if first else 0), 0x80 | len(payload)])
        assert len(payload) < 126, "longer frames have another head"
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self.sock.sendall(head + mask + masked)

    def sendall(self, data):
        """A frame for each 100 bytes."""
        for at in range(0, len(data), 100):
            self.send_frame(data[at:at + 100])

    def recv(self, _size):
        """The payload of the next binary frame; nothing at the end."""
        try:
            first, length = self._exactly(2)
            if length == 126:
                length = int.from_bytes(self._exactly(2), "big")
            payload = self._exactly(length)
        except EOFError:
            return b""
        return payload if first & 0x0F == BINARY else b""

    def settimeout(self, seconds):
        """As of a socket."""
        self.sock.settimeout(seconds)

    def close(self):
        """Drops the connection."""
        self.sock.close()

    def _until(self, end):
        while end not in self._bytes:
            self._more()
        found, self._bytes = self._bytes.split(end, 1)
        return found

    def _exactly(self, size):
        while len(self._bytes) < size:
            self._more()
        found, self._bytes = self._bytes[:size], self._bytes[size:]
        return found

    def _more(self):
        fresh = self.sock.recv(4096)
        if not fresh:
            raise EOFError("the server closed the connection")
        self._bytes += fresh
