"""Devices that are unmodified clients of the AWS IoT Device SDK, one class a version of MQTT.

Both have the same methods and give messages as the SDK's `mqtt5.PublishPacket`.
"""

import queue

from awscrt import mqtt, mqtt5


class Sdk5:
    """The MQTT 5 client."""

    def __init__(self, build, clean=True, session_expiry=600, **options):
        self.messages = queue.Queue()
        self.connected = queue.Queue()
        self.stopped = queue.Queue()
        if not clean:
            options["session_behavior"] = mqtt5.ClientSessionBehaviorType.REJOIN_ALWAYS
            options["session_expiry_interval_sec"] = session_expiry
        self.client = build(
            on_publish_received=lambda data: self.messages.put(data.publish_packet),
            on_lifecycle_connection_success=lambda data: self.connected.put(data.connack_packet),
            on_lifecycle_connection_failure=lambda data: self.connected.put(data.exception),
            on_lifecycle_stopped=self.stopped.put,
            **options,
        )

    def __enter__(self):
        self.client.start()
        self.connack = self.connected.get(timeout=30)
        assert isinstance(self.connack, mqtt5.ConnackPacket), self.connack
        return self

    def __exit__(self, *_):
        self.client.stop(mqtt5.DisconnectPacket(mqtt5.DisconnectReasonCode.NORMAL_DISCONNECTION))
        self.stopped.get(timeout=30)

    @property
    def session_present(self):
        """What the CONNACK said."""
        return self.connack.session_present

    def subscribe(self, filter, qos=1):
        """SUBSCRIBE; the reason code."""
        subscription = mqtt5.Subscription(filter, mqtt5.QoS(qos))
        packet = mqtt5.SubscribePacket([subscription])
        return self.client.subscribe(packet).result(30).reason_codes[0]

    def unsubscribe(self, filter):
        """UNSUBSCRIBE."""
        self.client.unsubscribe(mqtt5.UnsubscribePacket([filter])).result(30)

    def publish(self, topic, payload, qos=1, retain=False):
        """PUBLISH; the reason code of the PUBACK."""
        packet = mqtt5.PublishPacket(topic=topic, payload=payload, qos=mqtt5.QoS(qos),
                                     retain=retain)
        return self.client.publish(packet).result(30).puback.reason_code

    def message(self, seconds=15.0):
        """The next message."""
        return self.messages.get(timeout=seconds)


class Sdk3:
    """The MQTT 3.1.1 client."""

    def __init__(self, build, clean=True, **options):
        self.messages = queue.Queue()
        self.connection = build(clean_session=clean, **options)
        # Before the CONNECT: what waited comes right after the CONNACK.
        self.connection.on_message(self._on_message)

    def _on_message(self, topic, payload, dup, qos, retain, **_):
        self.messages.put(mqtt5.PublishPacket(topic=topic, payload=payload, retain=retain,
                                              qos=mqtt5.QoS(int(qos))))

    def __enter__(self):
        self.session_present = self.connection.connect().result(timeout=30)["session_present"]
        return self

    def __exit__(self, *_):
        self.connection.disconnect().result(timeout=30)

    def subscribe(self, filter, qos=1):
        """SUBSCRIBE; the granted QoS."""
        subscribed, _ = self.connection.subscribe(filter, mqtt.QoS(qos))
        return int(subscribed.result(30)["qos"])

    def unsubscribe(self, filter):
        """UNSUBSCRIBE."""
        self.connection.unsubscribe(filter)[0].result(30)

    def publish(self, topic, payload, qos=1, retain=False):
        """PUBLISH to its PUBACK, which has no reason code."""
        self.connection.publish(topic, payload, mqtt.QoS(qos), retain)[0].result(30)
        return 0

    def message(self, seconds=15.0):
        """The next message."""
        return self.messages.get(timeout=seconds)
