"""What the tests of traces share: a server that tells them, and calls to it."""

from harness.paho_device import PahoDevice
from harness.senders import RawSender

TOPIC = "e2e/lamp"
NOWHERE = "e2e-nobody"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def settings(port, more="", limits="", scheme="http", host="127.0.0.1"):
    """The tables of traces that go to that port."""
    return (f'[traces]\nendpoint = "{scheme}://{host}:{port}"\n{more}\n'
            f'[limits]\n{limits}\n')


def device(server, people, client_id, **options):
    """A connected device."""
    return PahoDevice(client_id, **options).connected(server, certificate=people.fleet)


def confirm(sender, client_id, headers=None, status=200, **query):
    """A confirmed message, with that answer."""
    query = {"confirmation": "true", "timeout": 15} | query
    answer = sender.send(client_id, TOPIC, b"payload", headers, **query)
    assert answer.status == status, answer
    return answer


def never_sent(server, times=1, headers=None):
    """Messages to nobody; their answers."""
    with RawSender(server, server.admin) as sender:
        return [confirm(sender, NOWHERE, headers, status=404) for _ in range(times)]
