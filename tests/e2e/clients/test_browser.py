"""A page in a real browser: MQTT.js as a bundle, a WebSocket of another origin than the page's."""

import http.server
import json
import queue
import shutil
import subprocess
import threading
from urllib.parse import urlencode

import pytest

from harness import programs

PAGE = programs.TESTS / "mqttjs" / "page.html"


class Pages(http.server.ThreadingHTTPServer):
    """Serves the page and its bundle, and takes what the page tells."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), PageRequest)
        self.told = queue.Queue()
        bundle = programs.node_modules() / "mqtt" / "dist" / "mqtt.min.js"
        self.files = {"/": ("text/html", PAGE), "/mqtt.min.js": ("text/javascript", bundle)}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/"


class PageRequest(http.server.BaseHTTPRequestHandler):
    """One request of the browser."""

    def do_GET(self):
        """The page or its bundle; a browser asks for more by itself."""
        kind, file = self.server.files.get(self.path.partition("?")[0], (None, None))
        body = file.read_bytes() if file else b""
        self.send_response(200 if file else 404)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        """What the page tells."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.put(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        """Nobody reads it."""


@pytest.fixture
def pages():
    """The web server of the page."""
    server = Pages()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def browse(tmp_path):
    """Opens a page in a headless browser with a profile of its own."""
    browser = programs.installed("chromium", "chromium")
    profile = tmp_path / "profile"
    running = []

    def opened(url):
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                   "--disable-dev-shm-usage", "--disable-background-networking",
                   f"--user-data-dir={profile}", "--remote-debugging-port=0", url]
        with open(tmp_path / "browser.txt", "wb") as output:
            running.append(subprocess.Popen(command, stdout=output, stderr=output))

    yield opened
    for process in running:
        process.terminate()
        process.wait(20)
    shutil.rmtree(profile, ignore_errors=True)


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_page_shows_what_was_published_to_it(broker, paho, pages, browse, client_id, protocol):
    other = paho("-other")
    other.subscribe(f"{client_id}/from-page", 2)
    asked = {"broker": broker.url("ws"), "client_id": client_id, "version": protocol,
             "topic": client_id}
    browse(f"{pages.url}?{urlencode(asked)}")
    message = other.message(seconds=60)
    assert (message.payload, message.qos) == (b"I listen", 2)
    other.publish(f"{client_id}/to-page", "grüß dich, Seite", 2)
    assert pages.told.get(timeout=30) == {
        "topic": f"{client_id}/to-page", "shown": f"{client_id}/to-page: grüß dich, Seite",
        "qos": 2, "title": "grüß dich, Seite"}
