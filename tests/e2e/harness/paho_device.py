"""A device that is an unmodified paho-mqtt client."""

import queue

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from harness.wire_device import tls_context

VERSIONS = {3: paho.MQTTv311, 5: paho.MQTTv5}


class PahoDevice:
    """Connects in the background and collects what arrives."""

    def __init__(self, client_id, version=5, transport="tcp", manual_ack=False,
                 clean=True, session_expiry=None):
        self.version = version
        self._clean = clean
        self._session_expiry = session_expiry
        self.messages = queue.Queue()
        self.connacks = queue.Queue()
        self.disconnects = queue.Queue()
        self.subacks = queue.Queue()
        self.pubacks = queue.Queue()
        options = {} if version == 5 else {"clean_session": clean}
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=VERSIONS[version],
            transport=transport, manual_ack=manual_ack, reconnect_on_failure=False, **options
        )
        self.client.on_connect = lambda c, u, flags, reason, p: self.connacks.put((flags, reason))
        self.client.on_disconnect = lambda c, u, f, reason, p: self.disconnects.put(reason)
        self.client.on_message = lambda c, u, message: self.messages.put(message)
        self.client.on_subscribe = lambda c, u, mid, reasons, p: self.subacks.put(reasons)
        self.client.on_publish = lambda c, u, mid, reason, p: self.pubacks.put(reason)

    def connect(self, server, listener="mqtts", certificate=None, alpn=(), keep_alive=60):
        """Connects; returns the flags and the reason of the CONNACK."""
        if listener != "mqtt":
            self.client.tls_set_context(tls_context(server.ca, certificate, alpn))
        host = "127.0.0.1" if listener == "mqtt" else "localhost"
        options = {}
        if self.version == 5:
            options["clean_start"] = self._clean
            if self._session_expiry is not None:
                options["properties"] = Properties(PacketTypes.CONNECT)
                options["properties"].SessionExpiryInterval = self._session_expiry
        self.client.connect(host, server.port(listener), keep_alive, **options)
        # The client's own thread: with any other, paho writes to the socket from the caller's.
        self.client.loop_start()
        return self.connacks.get(timeout=20)

    def connected(self, server, **options):
        """Connects and insists on success; returns itself."""
        _, reason = self.connect(server, **options)
        assert not reason.is_failure, f"CONNACK {reason}"
        return self

    def message(self, seconds=15.0):
        """The next message."""
        return self.messages.get(timeout=seconds)

    def no_message(self):
        """Whether nothing is waiting to be read."""
        return self.messages.empty()

    def acknowledge(self, message):
        """PUBACK of a device with manual acknowledgement."""
        self.client.ack(message.mid, message.qos)

    def subscribe(self, filter, qos=1):
        """SUBSCRIBE; returns the reason codes as numbers."""
        self.client.subscribe(filter, qos)
        return [reason.value for reason in self.subacks.get(timeout=15)]

    def publish(self, topic, payload, qos=1):
        """PUBLISH at QoS 1: returns the PUBACK's reason as a number."""
        self.client.publish(topic, payload, qos)
        return self.pubacks.get(timeout=15).value

    def close(self):
        """DISCONNECT, and the end of the thread."""
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
