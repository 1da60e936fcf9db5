"""A broker that takes anybody: where its plain listeners are."""

import dataclasses


def split_address(text):
    """Host and port of `host:port`."""
    host, _, port = text.rpartition(":")
    return host, int(port)


@dataclasses.dataclass(frozen=True)
class Broker:
    """Addresses as `host:port`. Devices connect to it as they do to a `Server`."""

    mqtt: str
    websocket: str

    @staticmethod
    def of_server(server):
        """The open listeners of a running Tenfour."""
        listeners = server.ready["listeners"]
        return Broker(listeners["mqtt"], listeners["http"])

    @staticmethod
    def of_options(config):
        """The broker that the command line names; None if it names none."""
        mqtt = config.getoption("--broker")
        return Broker(mqtt, config.getoption("--broker-websocket")) if mqtt else None

    def address(self, listener="mqtt"):
        """Host and port of the listener `mqtt` or `ws`."""
        return split_address(self.mqtt if listener == "mqtt" else self.websocket)

    def port(self, listener="mqtt"):
        """Port of a listener."""
        return self.address(listener)[1]

    def url(self, transport="mqtt"):
        """URL for a client that takes one; `transport` is `mqtt` or `ws`."""
        if transport == "mqtt":
            return f"mqtt://{self.mqtt}"
        assert self.websocket, "name the broker's WebSocket listener with --broker-websocket"
        return f"ws://{self.websocket}/mqtt"
