"""A client of gmqtt that does what its standard input says: see README.md."""

import asyncio

import gmqtt
from gmqtt.mqtt.constants import MQTTv50, MQTTv311
from gmqtt.storage import PersistentStorage
from lines import obey, say_message

VERSIONS = {3: MQTTv311, 5: MQTTv50}


def to_properties(given):
    """The properties of a PUBLISH as gmqtt takes them."""
    made = dict(given)
    if "correlation_data" in made:
        made["correlation_data"] = made["correlation_data"].encode()
    if "user_properties" in made:
        made["user_property"] = [tuple(pair) for pair in made.pop("user_properties")]
    return made


def from_properties(received):
    """The properties that a message came with; gmqtt gives a list for each."""
    told = {name: received[name][0]
            for name in ("content_type", "response_topic", "correlation_data") if name in received}
    if "correlation_data" in told:
        told["correlation_data"] = told["correlation_data"].decode()
    if "user_property" in received:
        told["user_properties"] = received["user_property"]
    return told


class GmqttClient:
    """One method a command."""

    def __init__(self):
        # Holds what is not settled yet: empty when the last acknowledgement has come.
        self.unsettled = PersistentStorage()
        self.flags = asyncio.Queue()
        self.granted = asyncio.Queue()
        self.unsubscribed = asyncio.Queue()
        self.gone = asyncio.Queue()

    async def connect(self, host, port, client_id, version, clean, session_expiry, will, **_):
        options = {}
        if version == 5 and session_expiry is not None:
            options["session_expiry_interval"] = session_expiry
        self.client = gmqtt.Client(
            client_id, clean_session=clean, persistent_storage=self.unsettled,
            will_message=gmqtt.Message(**will) if will else None, **options,
        )
        self.client.stop_reconnect()
        self.client.on_connect = lambda c, flags, rc, properties: self.flags.put_nowait(flags)
        self.client.on_message = self.heard
        self.client.on_subscribe = lambda c, mid, qos, properties: self.granted.put_nowait(qos)
        self.client.on_unsubscribe = lambda c, mid, qos: self.unsubscribed.put_nowait(qos)
        self.client.on_disconnect = lambda c, packet, exc=None: self.gone.put_nowait(packet)
        await self.client.connect(host, port, version=VERSIONS[version])
        return {"session_present": bool(await self.flags.get() & 1)}

    @staticmethod
    async def heard(_client, topic, payload, qos, properties):
        say_message(topic, payload, qos, properties["retain"], from_properties(properties))
        return 0

    async def subscribe(self, filter, qos):
        self.client.subscribe(filter, qos)
        return {"granted": list(await self.granted.get())}

    async def unsubscribe(self, filter):
        self.client.unsubscribe(filter)
        await self.unsubscribed.get()

    async def publish(self, topic, payloads, qos, retain, properties):
        for payload in payloads:
            self.client.publish(topic, payload, qos, retain, **to_properties(properties))
        await self.unsettled.wait_empty()

    async def disconnect(self):
        await self.client.disconnect()
        await self.gone.get()


async def main():
    await obey(GmqttClient())


asyncio.run(main())
