"""A reader of receipts as they happen: httpx with httpx-sse, both unmodified."""

import json
import queue
import socket
import ssl
import threading
from urllib.parse import quote

import h2.exceptions
import httpx
import httpx_sse

from harness import signing


def receipts_path(*clients):
    """Path and query, percent-encoded as the signature wants it."""
    return "/receipts?" + "&".join(f"client={quote(client, safe='-_.~')}" for client in clients)


class ReceiptStream:
    """Reads in a thread of its own. `first` is the first event; one that is not `patient` has none
    if it is not let in."""

    def __init__(self, server, credentials, *clients, last_event_id=None, http2=False,
                 patient=True):
        self.url = server.url("https", receipts_path(*clients))
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        self.headers = signing.sign(credentials, "GET", self.url, headers=headers)
        # It takes no proxy, no other CA, nothing of its surroundings.
        context = ssl.create_default_context(cafile=server.ca)
        self.client = httpx.Client(http2=http2, http1=not http2, verify=context, trust_env=False,
                                   timeout=httpx.Timeout(30, read=60))
        self.events = queue.Queue()
        self.response = None
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.first = self._first(patient)

    def _first(self, patient):
        first = self.events.get(timeout=30)
        assert first or not patient, self.response
        return first

    def _read(self):
        try:
            with httpx_sse.connect_sse(self.client, "GET", self.url,
                                       headers=self.headers) as source:
                self.response = source.response
                for event in source.iter_sse():
                    self.events.put(event)
        except (httpx.HTTPError, httpx.StreamError, httpx_sse.SSEError, OSError,
                h2.exceptions.ProtocolError):
            # It was closed by the test, or cut off; the events that came tell the tale. h2 takes the
            # PING of a server that ends for a mistake, if its own end has closed.
            pass
        finally:
            self.ended.set()
            self.events.put(None)

    def event(self, seconds=30):
        """The next event."""
        event = self.events.get(timeout=seconds)
        assert event, "the stream has ended"
        return event

    def receipt(self, seconds=30):
        """The next event, which has to be a receipt: its data."""
        event = self.event(seconds)
        assert event.event == "receipt", event
        return json.loads(event.data)

    def statuses(self, trace_id, last):
        """The statuses of one message up to the last one, and nothing of any other message."""
        told = []
        while not told or told[-1] != last:
            receipt = self.receipt()
            assert receipt["traceId"] == trace_id, receipt
            told.append(receipt["status"])
        return told

    def close(self):
        """Goes away at once: what reads in another thread has to end first."""
        if not self.ended.is_set():
            stream = self.response.extensions["network_stream"]
            stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
            assert self.ended.wait(30)
        self.client.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
