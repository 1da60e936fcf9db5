"""Debian's mosquitto_pub and mosquitto_sub."""

import contextlib
import queue
import subprocess
import threading

import pytest

from harness import programs

QOS = [0, 1, 2]
VERSIONS = {3: "mqttv311", 5: "mqttv5"}


@pytest.fixture
def mosquitto(broker, version):
    """The commands with the arguments that are always the same."""
    host, port = broker.address()

    class Commands:
        @staticmethod
        def pub(*arguments, **options):
            """Publishes, and ends well."""
            subprocess.run(Commands.line("mosquitto_pub", *arguments), check=True, timeout=30,
                           **options)

        @staticmethod
        def sub(*arguments):
            """What a subscriber prints until it ends by itself."""
            return subprocess.run(Commands.line("mosquitto_sub", *arguments), check=True,
                                  timeout=30, capture_output=True, text=True).stdout

        @staticmethod
        def line(command, *arguments):
            """A command line."""
            return [programs.installed(command, "mosquitto-clients"), "-h", host, "-p", str(port),
                    "-V", VERSIONS[version], *map(str, arguments)]

    return Commands


@pytest.fixture
def listen(mosquitto, paho, client_id):
    """Starts a mosquitto_sub that listens when the call returns, and gives what it prints.

    It proves that it listens by printing a greeting, which is read here.
    """
    running = []
    greeter = paho("-greeter")

    def greeting_of(number):
        return f"{client_id}/greeting/{number}"

    def start(*arguments, count):
        greeting = greeting_of(len(running))
        command = mosquitto.line("mosquitto_sub", *arguments, "-t", greeting, "-C", count + 1)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1)
        running.append(process)
        # Retained, so that it does not matter which of both is first.
        greeter.publish(greeting, b"hello", 1, retain=True)
        process.stdout.readline()
        return process

    yield start
    for number, process in enumerate(running):
        process.kill()
        process.wait(10)
        greeter.publish(greeting_of(number), b"", 1, retain=True)


def printed(process):
    """The lines until the process ends by itself, which it has to do well."""
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    return output.splitlines()


@pytest.mark.parametrize("qos", QOS)
def test_many_lines_in_order(mosquitto, paho, client_id, version, qos):
    """`-l` publishes each line of the standard input on one connection."""
    hearer = paho("-hearer", version=version)
    hearer.subscribe(client_id, qos)
    lines = [f"line {n}" for n in range(200)]
    # Before 2.0.15 the command may hang once its input has ended (mosquitto's issue 2448), with all
    # lines sent.
    with contextlib.suppress(subprocess.TimeoutExpired):
        mosquitto.pub("-t", client_id, "-q", qos, "-l", input="\n".join(lines) + "\n", text=True)
    assert hearer.payloads(200) == [line.encode() for line in lines]


@pytest.mark.parametrize("qos", QOS)
def test_one_command_hears_the_other(mosquitto, listen, client_id, qos):
    hearer = listen("-t", f"{client_id}/+/state", "-q", qos, "-F", "%t %q %r %p", count=1)
    mosquitto.pub("-t", f"{client_id}/lamp/state", "-m", "on", "-q", qos)
    assert printed(hearer) == [f"{client_id}/lamp/state {qos} 0 on"]


def test_a_retained_message(mosquitto, client_id):
    topic = f"{client_id}/state"
    mosquitto.pub("-t", topic, "-m", "on", "-q", 1, "-r")
    assert mosquitto.sub("-t", topic, "-C", 1, "-F", "%r %p") == "1 on\n"
    mosquitto.pub("-t", topic, "-m", "off", "-q", 2, "-r")
    assert mosquitto.sub("-t", topic, "-C", 1, "--retained-only", "-F", "%r %p") == "1 off\n"
    mosquitto.pub("-t", topic, "-r", "-n", "-q", 1)
    mosquitto.pub("-t", f"{client_id}/other", "-m", "the only one", "-r", "-q", 1)
    assert mosquitto.sub("-t", f"{client_id}/#", "-C", 1, "-F", "%p") == "the only one\n"
    mosquitto.pub("-t", f"{client_id}/other", "-r", "-n", "-q", 1)


@pytest.mark.parametrize("qos", [1, 2])
def test_a_session_that_is_kept(mosquitto, client_id, version, qos):
    session = ["-i", client_id, "-c", "-q", qos, "-t", f"{client_id}/#"]
    if version == 5:
        session += ["-x", 600]
    # `-E` ends when the subscription is there.
    assert mosquitto.sub(*session, "-E") == ""
    for n in range(5):
        mosquitto.pub("-t", f"{client_id}/{n}", "-m", n, "-q", qos)
    assert mosquitto.sub(*session, "-C", 5, "-F", "%t %q %p").splitlines() == [
        f"{client_id}/{n} {qos} {n}" for n in range(5)]


def test_the_will_of_a_command_that_is_killed(mosquitto, listen, paho, client_id):
    witness = paho("-witness")
    witness.subscribe(f"{client_id}/will", 2)
    mortal = listen("-t", f"{client_id}/any", "--will-topic", f"{client_id}/will",
                    "--will-payload", "gone", "--will-qos", 2, "--will-retain", count=1)
    mortal.kill()
    message = witness.message()
    assert (message.payload, message.qos) == (b"gone", 2)
    assert mosquitto.sub("-t", f"{client_id}/will", "-C", 1, "-F", "%r %p") == "1 gone\n"
    mosquitto.pub("-t", f"{client_id}/will", "-r", "-n", "-q", 1)


def test_shared_subscriptions(mosquitto, listen, client_id):
    """Every message to one of both members."""
    heard = queue.Queue()
    for _ in range(2):
        member = listen("-t", f"$share/group/{client_id}/work", "-q", 1, "-F", "%p", count=1000)
        threading.Thread(target=lambda out: [heard.put(line.strip()) for line in out],
                         args=(member.stdout,), daemon=True).start()
    lines = "".join(f"{n}\n" for n in range(20))
    mosquitto.pub("-t", f"{client_id}/work", "-q", 1, "-l", input=lines, text=True)
    assert sorted((heard.get(timeout=30) for _ in range(20)), key=int) == lines.split()
    assert heard.empty()


@pytest.mark.parametrize("version", [5], indirect=True, ids=["v5"])
def test_properties(mosquitto, listen, client_id):
    hearer = listen(
        "-t", f"{client_id}/x", "-D", "subscribe", "subscription-identifier", 7,
        "-F", "%p|%C|%R|%D|%F|%S|%P", count=1)
    mosquitto.pub(
        "-t", f"{client_id}/x", "-m", "hello", "-q", 1,
        "-D", "publish", "content-type", "text/plain",
        "-D", "publish", "response-topic", "an/answer",
        "-D", "publish", "correlation-data", "number 7",
        "-D", "publish", "payload-format-indicator", 1,
        "-D", "publish", "user-property", "b", "1",
        "-D", "publish", "user-property", "a", "2",
    )
    assert printed(hearer) == ["hello|text/plain|an/answer|number 7|1|7|b:1 a:2"]


@pytest.mark.parametrize("version", [5], indirect=True, ids=["v5"])
def test_an_alias_of_a_topic(mosquitto, listen, client_id):
    hearer = listen("-t", f"{client_id}/x", "-q", 1, "-F", "%t %p", count=3)
    mosquitto.pub("-t", f"{client_id}/x", "-q", 1, "-D", "publish", "topic-alias", 1, "-l",
                  input="1\n2\n3\n", text=True)
    assert printed(hearer) == [f"{client_id}/x {n}" for n in (1, 2, 3)]
