"""What a device is sent before a last message: the way to say that something did not come."""

import uuid

from harness import packets
from harness.packets import Publish


def arrivals(device, publisher, settle=True):
    """All messages that the device is sent up to one that the publisher sends it now.

    What the publisher had acknowledged before comes before. Messages are acknowledged on the way
    unless `settle` is false.
    """
    end = f"fence/{uuid.uuid4()}"
    device.send(packets.subscribe([(end, 0)], 77, device.version))
    messages = []
    _read(device, messages, settle, lambda packet: packet.kind == "SUBACK")
    publisher.send(packets.publish(end, version=publisher.version))
    _read(device, messages, settle, lambda _: messages and messages[-1].topic == end)
    return messages[:-1]


def payloads(device, publisher, settle=True):
    """The payloads of `arrivals`."""
    return [message.payload for message in arrivals(device, publisher, settle)]


def next_messages(device, count):
    """The next messages, acknowledged on the way, however their acknowledgements interleave."""
    messages = []
    _read(device, messages, True, lambda _: len(messages) == count)
    return messages


def _read(device, messages, settle, is_last):
    while True:
        packet = device.packet()
        assert packet is not None, f"the server closed the connection after {messages}"
        if packet.kind == "PUBLISH":
            messages.append(Publish.of(packet, device.version))
        if settle:
            _answer(device, packet, messages)
        if is_last(packet):
            return


def _answer(device, packet, messages):
    if packet.kind == "PUBLISH" and messages[-1].qos == 1:
        device.acknowledge(messages[-1])
    if packet.kind == "PUBLISH" and messages[-1].qos == 2:
        device.send(packets.pubrec(messages[-1].packet_id, device.version))
    if packet.kind == "PUBREL":
        device.send(packets.pubcomp(packet.packet_id, device.version))
