"""MQTT packets as bytes: enough of the codec to be a device that no library lets one be.

Versions are 3 (for 3.1.1) and 5.

Written against the two standards, not against the server's codec.
"""

import dataclasses
import struct

KINDS = {
    1: "CONNECT", 2: "CONNACK", 3: "PUBLISH", 4: "PUBACK", 5: "PUBREC", 6: "PUBREL",
    7: "PUBCOMP", 8: "SUBSCRIBE", 9: "SUBACK", 10: "UNSUBSCRIBE", 11: "UNSUBACK",
    12: "PINGREQ", 13: "PINGRESP", 14: "DISCONNECT", 15: "AUTH",
}

PINGREQ = b"\xc0\x00"

# Properties by identifier: name and wire form.
PROPERTIES = {
    0x01: ("payload_format_indicator", "u8"), 0x02: ("message_expiry_interval", "u32"),
    0x03: ("content_type", "text"), 0x08: ("response_topic", "text"),
    0x09: ("correlation_data", "data"), 0x0B: ("subscription_identifier", "varint"),
    0x11: ("session_expiry_interval", "u32"), 0x12: ("assigned_client_identifier", "text"),
    0x13: ("server_keep_alive", "u16"), 0x15: ("authentication_method", "text"),
    0x16: ("authentication_data", "data"), 0x17: ("request_problem_information", "u8"),
    0x18: ("will_delay_interval", "u32"), 0x19: ("request_response_information", "u8"),
    0x1A: ("response_information", "text"), 0x1C: ("server_reference", "text"),
    0x1F: ("reason_string", "text"), 0x21: ("receive_maximum", "u16"),
    0x22: ("topic_alias_maximum", "u16"), 0x23: ("topic_alias", "u16"),
    0x24: ("maximum_qos", "u8"), 0x25: ("retain_available", "u8"),
    0x26: ("user_property", "pair"), 0x27: ("maximum_packet_size", "u32"),
    0x28: ("wildcard_subscription_available", "u8"),
    0x29: ("subscription_identifier_available", "u8"),
    0x2A: ("shared_subscription_available", "u8"),
}
_REPEATED = ("user_property", "subscription_identifier")
_IDENTIFIERS = {name: (number, form) for number, (name, form) in PROPERTIES.items()}


@dataclasses.dataclass(frozen=True)
class Packet:
    """One packet as it came: kind, flags of the fixed header, everything after it."""

    kind: str
    flags: int
    body: bytes

    @property
    def packet_id(self):
        """Packet ID of an acknowledgement."""
        return struct.unpack_from(">H", self.body)[0]

    def reason(self):
        """Reason code of a CONNACK, DISCONNECT or acknowledgement; 0 when it is left out."""
        at = {"CONNACK": 1, "DISCONNECT": 0}.get(self.kind, 2)
        return self.body[at] if len(self.body) > at else 0

    def reasons(self, version):
        """Reason codes of a SUBACK or UNSUBACK."""
        rest = self.body[2:]
        if version == 5:
            _, rest = read_properties(rest)
        return list(rest)

    @property
    def session_present(self):
        """Whether a CONNACK says that the session goes on."""
        return bool(self.body[0] & 1)

    def properties(self):
        """Properties of any MQTT 5 packet that ends with them or with reason codes after them."""
        at = {"CONNACK": 2, "DISCONNECT": 1, "AUTH": 1, "SUBACK": 2, "UNSUBACK": 2}
        rest = self.body[at.get(self.kind, 3):]
        return read_properties(rest)[0] if rest else {}


@dataclasses.dataclass(frozen=True)
class Publish:
    """A PUBLISH, taken apart."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    packet_id: int
    properties: dict

    @staticmethod
    def of(packet, version):
        """Takes a PUBLISH apart."""
        assert packet.kind == "PUBLISH", packet
        topic, rest = _read_data(packet.body)
        qos = packet.flags >> 1 & 3
        packet_id = None
        if qos:
            packet_id, rest = struct.unpack_from(">H", rest)[0], rest[2:]
        properties = {}
        if version == 5:
            properties, rest = read_properties(rest)
        return Publish(topic.decode(), rest, qos, bool(packet.flags & 1),
                       bool(packet.flags & 8), packet_id, properties)


def framed(first_byte, body):
    """A packet: first byte, length, body."""
    return bytes([first_byte]) + variable_int(len(body)) + body


def variable_int(value):
    """Variable Byte Integer."""
    out = bytearray()
    while True:
        value, digit = divmod(value, 128)
        out.append(digit | 0x80 if value else digit)
        if not value:
            return bytes(out)


def text(value):
    """UTF-8 string with its length."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(data)) + data


def properties(**values):
    """A property list with its length; a list value repeats the property."""
    out = b""
    for name, value in values.items():
        number, form = _IDENTIFIERS[name]
        for one in value if isinstance(value, list) else [value]:
            out += bytes([number]) + _write_value(form, one)
    return variable_int(len(out)) + out


@dataclasses.dataclass(frozen=True)
class Will:
    """The Will of a CONNECT."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    properties: dict = dataclasses.field(default_factory=dict)

    def flags(self):
        """Its bits of the connect flags."""
        return 4 | self.qos << 3 | self.retain << 5

    def fields(self, version):
        """Its part of the payload."""
        before = properties(**self.properties) if version == 5 else b""
        return before + text(self.topic) + text(self.payload)


def connect(client_id, version=5, clean=True, keep_alive=60, username=None, password=None,
            will=None, **props):
    """CONNECT."""
    flags = (2 if clean else 0) | (0x80 if username is not None else 0)
    flags |= 0x40 if password is not None else 0
    flags |= will.flags() if will else 0
    level = 5 if version == 5 else 4
    body = text("MQTT") + bytes([level, flags]) + struct.pack(">H", keep_alive)
    if version == 5:
        body += properties(**props)
    body += text(client_id)
    body += will.fields(version) if will else b""
    for field in (username, password):
        if field is not None:
            body += text(field)
    return framed(0x10, body)


def publish(topic, payload=b"", qos=0, packet_id=1, retain=False, dup=False, version=5, **props):
    """PUBLISH."""
    body = text(topic)
    if qos:
        body += struct.pack(">H", packet_id)
    if version == 5:
        body += properties(**props)
    return framed(0x30 | dup << 3 | qos << 1 | retain, body + payload)


def puback(packet_id, version=5, reason=0):
    """PUBACK; the reason is left out when it is 0."""
    return _acknowledgement(0x40, packet_id, version, reason)


def pubrec(packet_id, version=5, reason=0):
    """PUBREC; the reason is left out when it is 0."""
    return _acknowledgement(0x50, packet_id, version, reason)


def pubrel(packet_id, version=5, reason=0):
    """PUBREL; the reason is left out when it is 0."""
    return _acknowledgement(0x62, packet_id, version, reason)


def pubcomp(packet_id, version=5, reason=0):
    """PUBCOMP; the reason is left out when it is 0."""
    return _acknowledgement(0x70, packet_id, version, reason)


def _acknowledgement(first_byte, packet_id, version, reason):
    body = struct.pack(">H", packet_id)
    if version == 5 and reason:
        body += bytes([reason])
    return framed(first_byte, body)


def options(qos, no_local=False, retain_as_published=False, retain_handling=0):
    """The options byte of a subscription; MQTT 3.1.1 has the QoS alone."""
    return qos | no_local << 2 | retain_as_published << 3 | retain_handling << 4


def subscribe(filters, packet_id=1, version=5, **props):
    """SUBSCRIBE; filters are (filter, QoS or options byte)."""
    body = struct.pack(">H", packet_id)
    if version == 5:
        body += properties(**props)
    for name, qos in filters:
        body += text(name) + bytes([qos])
    return framed(0x82, body)


def unsubscribe(filters, packet_id=1, version=5):
    """UNSUBSCRIBE."""
    body = struct.pack(">H", packet_id)
    if version == 5:
        body += properties()
    return framed(0xA2, body + b"".join(text(name) for name in filters))


def disconnect(version=5, reason=0):
    """DISCONNECT."""
    return framed(0xE0, bytes([reason]) if version == 5 and reason else b"")


def read_properties(data):
    """A property list, and what follows it. A repeated property becomes a list."""
    length, at = read_variable_int(data)
    rest, after = data[at:at + length], data[at + length:]
    found = {}
    while rest:
        name, form = PROPERTIES[rest[0]]
        value, rest = _read_value(form, rest[1:])
        if name in _REPEATED:
            found.setdefault(name, []).append(value)
        else:
            assert name not in found, f"{name} twice"
            found[name] = value
    return found, after


def read_variable_int(data):
    """Value, and the number of bytes it took; None when the data ends inside it."""
    value = 0
    for index, byte in enumerate(data[:4]):
        value |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return value, index + 1
    return None


def _read_data(data):
    length = struct.unpack_from(">H", data)[0]
    return data[2:2 + length], data[2 + length:]


def _read_value(form, data):
    if form == "u8":
        return data[0], data[1:]
    if form == "u16":
        return struct.unpack_from(">H", data)[0], data[2:]
    if form == "u32":
        return struct.unpack_from(">I", data)[0], data[4:]
    if form == "varint":
        value, width = read_variable_int(data)
        return value, data[width:]
    first, rest = _read_data(data)
    if form == "data":
        return first, rest
    if form == "text":
        return first.decode(), rest
    second, rest = _read_data(rest)
    return (first.decode(), second.decode()), rest


def _write_value(form, value):
    numbers = {"u8": ">B", "u16": ">H", "u32": ">I"}
    if form in numbers:
        return struct.pack(numbers[form], value)
    if form == "varint":
        return variable_int(value)
    if form == "pair":
        return text(value[0]) + text(value[1])
    return text(value)
