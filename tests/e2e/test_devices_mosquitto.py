"""Devices that are Debian's mosquitto_sub and mosquitto_pub."""

import subprocess

import pytest

from harness.answer import check

TOPIC = "e2e/lamp"


def arguments(server, people, client_id, version):
    """What both commands are told."""
    return ["-h", "localhost", "-p", str(server.port("mqtts")), "--cafile", server.ca,
            "--cert", str(people.fleet.cert), "--key", str(people.fleet.key),
            "-i", client_id, "-V", version]


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_mosquitto_sub_confirms_a_direct_message(server, people, boto, client_id, log, version):
    command = ["mosquitto_sub", *arguments(server, people, client_id, version), "-q", "1",
               "-t", "e2e/unrelated", "-C", "1", "-F", "%t %q %p"]
    device = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    log.wait_for(eventType="Subscribe", clientId=client_id)
    answer = boto.send(client_id, TOPIC, confirmation=True, timeout=10, payload=b"hello")
    check(answer, log, 200)
    assert device.communicate(timeout=20)[0].strip() == f"{TOPIC} 1 hello"
    assert device.returncode == 0


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
@pytest.mark.parametrize("qos", ["0", "1"])
def test_mosquitto_pub_to_mosquitto_sub(server, people, client_id, log, version, qos):
    """[MQTT3-7.0.0-2]: clients that know nothing of this server get along with it."""
    topic = f"e2e/{client_id}/state"
    command = ["mosquitto_sub", *arguments(server, people, client_id, version), "-q", "1",
               "-t", f"e2e/{client_id}/+", "-C", "1", "-F", "%t %q %p"]
    device = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    log.wait_for(eventType="Subscribe", clientId=client_id)
    publisher = arguments(server, people, f"{client_id}-pub", version)
    subprocess.run(["mosquitto_pub", *publisher, "-t", topic, "-m", "hello", "-q", qos],
                   check=True, timeout=30)
    assert device.communicate(timeout=20)[0].strip() == f"{topic} {qos} hello"
