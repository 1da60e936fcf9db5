"""Waiting for something to become true, without sleeping a fixed time."""

import time


def wait_until(probe, what, seconds=15.0, pause=0.02):
    """Calls `probe` until it returns something true, and returns that.

    The limit is generous on purpose: a slow machine makes a test slower, not red.
    """
    deadline = time.monotonic() + seconds
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(pause)
