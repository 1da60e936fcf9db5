"""A client of aiomqtt that does what its standard input says: see README.md."""

import asyncio

import aiomqtt
from lines import obey, say_message
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

VERSIONS = {3: aiomqtt.ProtocolVersion.V311, 5: aiomqtt.ProtocolVersion.V5}
NAMES = {"content_type": "ContentType", "response_topic": "ResponseTopic",
         "correlation_data": "CorrelationData", "user_properties": "UserProperty"}


def to_properties(given):
    """The properties of a PUBLISH as aiomqtt takes them."""
    made = Properties(PacketTypes.PUBLISH)
    for name, value in given.items():
        if name == "correlation_data":
            value = value.encode()
        if name == "user_properties":
            value = [tuple(pair) for pair in value]
        setattr(made, NAMES[name], value)
    return made


def from_properties(received):
    """The properties that a message came with."""
    told = {name: getattr(received, theirs) for name, theirs in NAMES.items()
            if hasattr(received, theirs)}
    if "correlation_data" in told:
        told["correlation_data"] = told["correlation_data"].decode()
    return told


class AiomqttClient:
    """One method a command."""

    async def connect(self, host, port, client_id, version, clean, session_expiry, will, **_):
        self.version = version
        options = {"clean_session": clean}
        if version == 5:
            options = {"clean_start": clean}
            if session_expiry is not None:
                options["properties"] = Properties(PacketTypes.CONNECT)
                options["properties"].SessionExpiryInterval = session_expiry
        self.client = aiomqtt.Client(
            host, port, identifier=client_id, protocol=VERSIONS[version],
            will=aiomqtt.Will(**will) if will else None, **options,
        )
        await self.client.__aenter__()
        self.listening = asyncio.create_task(self.listen())
        return {"session_present": None}

    async def listen(self):
        """Tells of each message."""
        async for message in self.client.messages:
            say_message(str(message.topic), message.payload, message.qos, message.retain,
                        from_properties(message.properties))

    async def subscribe(self, filter, qos):
        granted = await self.client.subscribe(filter, qos)
        return {"granted": [getattr(reason, "value", reason) for reason in granted]}

    async def unsubscribe(self, filter):
        await self.client.unsubscribe(filter)

    async def publish(self, topic, payloads, qos, retain, properties):
        made = to_properties(properties) if self.version == 5 else None
        for payload in payloads:
            await self.client.publish(topic, payload, qos, retain, made)

    async def disconnect(self):
        self.listening.cancel()
        await self.client.__aexit__(None, None, None)


asyncio.run(obey(AiomqttClient()))
