"""A device that is an unmodified paho-mqtt client."""

import queue
import socket

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from harness.wire_device import tls_context

VERSIONS = {3: paho.MQTTv311, 5: paho.MQTTv5}


def properties(packet_type, values):
    """Properties of a packet by paho's names (`ContentType`); None for none."""
    if not values:
        return None
    made = Properties(packet_type)
    for name, value in values.items():
        setattr(made, name, value)
    return made


class PahoDevice:
    """Connects in the background and collects what arrives."""

    def __init__(self, client_id, version=5, transport="tcp", manual_ack=False,
                 clean=True, session_expiry=None, **connect_properties):
        """`connect_properties` and `session_expiry` are for MQTT 5 and ignored by 3.1.1."""
        self.version = version
        self._clean = clean
        self._connect_properties = connect_properties
        if session_expiry is not None:
            connect_properties["SessionExpiryInterval"] = session_expiry
        self.messages = queue.Queue()
        self.connacks = queue.Queue()
        self.connack_properties = None
        self.disconnects = queue.Queue()
        self.subacks = queue.Queue()
        self.unsubacks = queue.Queue()
        self.pubacks = queue.Queue()
        options = {} if version == 5 else {"clean_session": clean}
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=VERSIONS[version],
            transport=transport, manual_ack=manual_ack, reconnect_on_failure=False, **options
        )
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = lambda c, u, f, reason, p: self.disconnects.put(reason)
        self.client.on_message = lambda c, u, message: self.messages.put(message)
        self.client.on_subscribe = lambda c, u, mid, reasons, p: self.subacks.put(reasons)
        self.client.on_unsubscribe = lambda c, u, mid, reasons, p: self.unsubacks.put(reasons)
        self.client.on_publish = lambda c, u, mid, reason, p: self.pubacks.put(reason)

    def _on_connect(self, _client, _userdata, flags, reason, received):
        self.connack_properties = received
        self.connacks.put((flags, reason))

    def will(self, topic, payload, qos=0, retain=False, **values):
        """Sets the Will of the next CONNECT; returns itself."""
        self.client.will_set(topic, payload, qos, retain,
                             properties(PacketTypes.WILLMESSAGE, values))
        return self

    def connect(self, server, listener="mqtts", certificate=None, alpn=(), keep_alive=60):
        """Connects; returns the flags and the reason of the CONNACK."""
        if listener != "mqtt":
            self.client.tls_set_context(tls_context(server.ca, certificate, alpn))
        host = "127.0.0.1" if listener == "mqtt" else "localhost"
        options = {}
        if self.version == 5:
            options["clean_start"] = self._clean
            options["properties"] = properties(PacketTypes.CONNECT, self._connect_properties)
        self.client.connect(host, server.port(listener), keep_alive, **options)
        # The client's own thread: with any other, paho writes to the socket from the caller's.
        self.client.loop_start()
        return self.connacks.get(timeout=20)

    def connected(self, server, **options):
        """Connects and insists on success; returns itself."""
        flags, reason = self.connect(server, **options)
        assert not reason.is_failure, f"CONNACK {reason}"
        self.session_present = flags.session_present
        return self

    def message(self, seconds=15.0):
        """The next message."""
        return self.messages.get(timeout=seconds)

    def payloads(self, count, seconds=30.0):
        """The payloads of the next messages, in their order."""
        return [self.message(seconds).payload for _ in range(count)]

    def no_message(self):
        """Whether nothing is waiting to be read."""
        return self.messages.empty()

    def acknowledge(self, message):
        """PUBACK of a device with manual acknowledgement."""
        self.client.ack(message.mid, message.qos)

    def subscribe(self, filter, qos=1, identifier=None, **options):
        """SUBSCRIBE; returns the reason codes as numbers. `options` are paho's, of MQTT 5."""
        if self.version == 5:
            values = {"SubscriptionIdentifier": identifier} if identifier else {}
            self.client.subscribe(filter, options=SubscribeOptions(qos, **options),
                                  properties=properties(PacketTypes.SUBSCRIBE, values))
        else:
            self.client.subscribe(filter, qos)
        return [reason.value for reason in self.subacks.get(timeout=15)]

    def unsubscribe(self, filter):
        """UNSUBSCRIBE; returns the reason codes as numbers, none on MQTT 3.1.1."""
        self.client.unsubscribe(filter)
        return [reason.value for reason in self.unsubacks.get(timeout=15)]

    def publish(self, topic, payload, qos=1, retain=False, **values):
        """PUBLISH to its end: returns the reason of the PUBACK or PUBCOMP as a number."""
        self.client.publish(topic, payload, qos, retain, properties(PacketTypes.PUBLISH, values))
        return self.pubacks.get(timeout=15).value

    def publish_all(self, topic, payloads, qos=1, seconds=60.0):
        """PUBLISHes side by side, to the end of the last."""
        for payload in payloads:
            self.client.publish(topic, payload, qos)
        return [self.pubacks.get(timeout=seconds).value for _ in payloads]

    def drop(self):
        """Ends the connection without a DISCONNECT."""
        self.client.socket().shutdown(socket.SHUT_RDWR)
        self.disconnects.get(timeout=15)

    def close(self):
        """DISCONNECT, and the end of the thread."""
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
