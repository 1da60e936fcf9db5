"""Lifecycle events as a device hears them."""

import json

from harness.wire_device import WireDevice


class LifecycleWatcher:
    """Subscribes to the presence events of one client."""

    def __init__(self, server, certificate, client_id):
        self._device = WireDevice.connected(server, f"{client_id}-watcher", certificate)
        assert self._device.subscribe(f"$aws/events/presence/+/{client_id}") == [1]

    def next(self, kind):
        """The next event of this kind; others are passed over."""
        while True:
            message = self._device.take()
            if message.topic.split("/")[3] == kind:
                return json.loads(message.payload)

    def close(self):
        """Drops the connection."""
        self._device.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
