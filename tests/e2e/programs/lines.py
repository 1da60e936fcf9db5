"""The conversation of a client program: commands on standard input, answers on standard output."""

import asyncio
import json
import sys


def say(**line):
    """Writes one line."""
    print(json.dumps(line), flush=True)


def say_message(topic, payload, qos, retain, properties):
    """Tells of a message that came in."""
    say(message={"topic": topic, "payload": payload.decode(), "qos": qos, "retain": bool(retain),
                 "properties": properties})


async def obey(client):
    """Calls the method of each command until the input ends; what it returns is the answer."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        name = command.pop("do")
        try:
            answer = await getattr(client, name)(**command) or {}
        # Whatever goes wrong in the library is the answer, and fails the test that asked.
        except Exception as error:
            answer = {"error": repr(error)}
        say(answer=name, **answer)
