"""A device on a bare socket, which does exactly what a test says."""

import socket
import ssl
import time

from harness import packets
from harness.packets import KINDS, Packet, Publish, read_variable_int


def tls_context(ca, certificate=None, alpn=()):
    """A client's TLS settings."""
    context = ssl.create_default_context(cafile=ca)
    if certificate:
        context.load_cert_chain(certificate.cert, certificate.key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def open_socket(server, listener, certificate=None, alpn=(), receive_buffer=None):
    """A connected socket to a listener, through TLS unless the listener is a plain one."""
    bare = socket.socket()
    if receive_buffer:
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    bare.settimeout(30)
    bare.connect(server.address(listener))
    bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if listener in ("mqtt", "http", "admin"):
        return bare
    context = tls_context(server.ca, certificate, alpn)
    return context.wrap_socket(bare, server_hostname="localhost")


def read_to_end(sock):
    """What the peer says before it closes the connection, in whatever way it does."""
    received = b""
    try:
        while fresh := sock.recv(65536):
            received += fresh
    except (ConnectionError, ssl.SSLError):
        pass
    return received


class WireDevice:
    """Sends bytes, reads packets. Acknowledges nothing by itself."""

    def __init__(self, sock, version=5):
        self.sock = sock
        self.version = version
        self._buffer = b""

    @staticmethod
    def connected(server, client_id, certificate=None, listener="mqtts", version=5, **connect):
        """A device whose CONNECT was accepted."""
        sock = open_socket(server, listener, certificate)
        device = WireDevice(sock, version)
        device.send(packets.connect(client_id, version, **connect))
        connack = device.expect("CONNACK")
        assert connack.reason() == 0, f"CONNACK 0x{connack.reason():02x}"
        device.connack = connack
        return device

    def send(self, data):
        """Sends bytes."""
        self.sock.sendall(data)

    def packet(self, seconds=15.0):
        """The next packet; None when the server closed the connection."""
        deadline = time.monotonic() + seconds
        while True:
            packet = self._take()
            if packet:
                return packet
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"no packet and no end within {seconds} s")
            self.sock.settimeout(left)
            try:
                fresh = self.sock.recv(65536)
            except TimeoutError:
                continue
            except (ConnectionError, ssl.SSLError):
                return None
            if not fresh:
                return None
            self._buffer += fresh

    def expect(self, kind, seconds=15.0):
        """The next packet, which has to be of this kind."""
        packet = self.packet(seconds)
        assert packet is not None, f"the server closed the connection instead of {kind}"
        assert packet.kind == kind, f"{packet} instead of {kind}"
        return packet

    def message(self, seconds=15.0):
        """The next packet, which has to be a PUBLISH, taken apart."""
        return Publish.of(self.expect("PUBLISH", seconds), self.version)

    def acknowledge(self, message, reason=0):
        """PUBACK for a message."""
        self.send(packets.puback(message.packet_id, self.version, reason))

    def take(self, seconds=15.0):
        """The next packet, a PUBLISH whose QoS is served to its end; returns the message."""
        message = self.message(seconds)
        if message.qos == 1:
            self.acknowledge(message)
        if message.qos == 2:
            self.send(packets.pubrec(message.packet_id, self.version))
            assert self.expect("PUBREL").packet_id == message.packet_id
            self.send(packets.pubcomp(message.packet_id, self.version))
        return message

    def publish(self, topic, payload=b"", qos=0, packet_id=9, **publish):
        """PUBLISH with all its acknowledgements."""
        self.send(packets.publish(topic, payload, qos, packet_id, version=self.version, **publish))
        if qos:
            answer = self.expect("PUBACK" if qos == 1 else "PUBREC")
            assert (answer.packet_id, answer.reason() < 0x80) == (packet_id, True), answer
        if qos == 2:
            self.send(packets.pubrel(packet_id, self.version))
            assert self.expect("PUBCOMP").packet_id == packet_id

    def subscribe(self, *filters, qos=1, identifier=None, **options):
        """SUBSCRIBE with the same options for all filters; returns the reason codes."""
        chosen = packets.options(qos, **options)
        props = {} if identifier is None else {"subscription_identifier": identifier}
        self.send(packets.subscribe([(f, chosen) for f in filters], 7, self.version, **props))
        return self.expect("SUBACK").reasons(self.version)

    def unsubscribe(self, *filters):
        """UNSUBSCRIBE; returns the reason codes, of which MQTT 3.1.1 has none."""
        self.send(packets.unsubscribe(filters, 8, self.version))
        return self.expect("UNSUBACK").reasons(self.version)

    def is_silent(self):
        """Whether a ping is answered by its PINGRESP and nothing comes before it."""
        self.send(packets.PINGREQ)
        return self.expect("PINGRESP") is not None

    def end(self, seconds=15.0):
        """Reads until the server closes the connection; returns the packets that came first."""
        rest = []
        while (packet := self.packet(seconds)) is not None:
            rest.append(packet)
        return rest

    def close(self):
        """Drops the connection without a DISCONNECT."""
        self.sock.close()

    def leave(self):
        """DISCONNECT; returns when the server has taken note and closed the connection."""
        self.send(packets.disconnect(self.version))
        assert self.end() == []

    def disconnect(self):
        """DISCONNECT, then the end."""
        self.send(packets.disconnect(self.version))
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _take(self):
        if len(self._buffer) < 2:
            return None
        length = read_variable_int(self._buffer[1:])
        if length is None:
            return None
        size, width = length
        end = 1 + width + size
        if len(self._buffer) < end:
            return None
        first = self._buffer[0]
        body, self._buffer = self._buffer[1 + width:end], self._buffer[end:]
        return Packet(KINDS[first >> 4], first & 15, body)


def try_connect(server, client_id, certificate=None, **how):
    """A connected device, or None if it is not let in."""
    try:
        return WireDevice.connected(server, client_id, certificate, **how)
    except (OSError, AssertionError):
        return None
