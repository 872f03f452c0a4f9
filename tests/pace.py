"""How fast this machine is just now: what a test allows in seconds is meant for one with nothing else to do."""

import time

# Seconds that the work below takes on a quiet machine.
QUIET = 0.012


def slowness() -> float:
    """How many times longer a fixed piece of work takes than on a quiet machine; at least 1."""
    began = time.process_time()
    sum(place % 7 for place in range(200_000))
    return max(1.0, (time.process_time() - began) / QUIET)
