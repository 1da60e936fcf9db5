"""A client that is a program of its own: see programs/README.md."""

import json
import queue
import subprocess
import threading

# How many messages are under way at once. Some libraries leave it to their users to stay below
# the Receive Maximum of the server.
WINDOW = 15


class DrivenClient:
    """Tells the program what to do and collects what it hears."""

    def __init__(self, command, broker, transport="mqtt", cwd=None):
        self.broker = broker
        self.transport = transport
        self.messages = queue.Queue()
        self.online = queue.Queue()
        self._answers = queue.Queue()
        self.process = subprocess.Popen(
            [str(word) for word in command], cwd=cwd, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            told = json.loads(line)
            if "message" in told:
                self.messages.put(told["message"])
            elif "online" in told:
                self.online.put(told["online"])
            else:
                self._answers.put(told)
        self._answers.put({"error": f"the program ended: {self.process.args}"})

    def do(self, name, **members):
        """One command; returns its answer, which has to be a success."""
        self.process.stdin.write(json.dumps({"do": name, **members}) + "\n")
        answer = self._answers.get(timeout=30)
        assert "error" not in answer, answer["error"]
        return answer

    def connect(self, client_id, version, clean=True, session_expiry=None, will=None):
        """CONNECT; whether the session was present, None where the library does not tell."""
        host, port = self.broker.address(self.transport)
        answer = self.do(
            "connect", host=host, port=port, url=self.broker.url(self.transport),
            client_id=client_id, version=version, clean=clean, session_expiry=session_expiry,
            will=will,
        )
        return answer["session_present"]

    def subscribe(self, filter, qos):
        """SUBSCRIBE; returns the reason codes."""
        return self.do("subscribe", filter=filter, qos=qos)["granted"]

    def unsubscribe(self, filter):
        """UNSUBSCRIBE."""
        self.do("unsubscribe", filter=filter)

    def publish(self, topic, *payloads, qos=1, retain=False, **properties):
        """PUBLISH of each payload; returns when all are settled."""
        for first in range(0, len(payloads), WINDOW):
            self.do("publish", topic=topic, payloads=payloads[first:first + WINDOW], qos=qos,
                    retain=retain, properties=properties)

    def message(self, seconds=20.0):
        """The next message, as a dictionary."""
        return self.messages.get(timeout=seconds)

    def payloads(self, count):
        """The payloads of the next messages."""
        return [self.message()["payload"] for _ in range(count)]

    def disconnect(self):
        """DISCONNECT."""
        self.do("disconnect")

    def kill(self):
        """Ends the program at once: the connection breaks."""
        self.process.kill()
        self.process.wait(10)

    def close(self):
        """Ends the program."""
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
