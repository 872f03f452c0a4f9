"""A short wait before a page is answered, so that the time of the answer does not tell which numbers are known."""

import secrets
import time

# Microseconds; an answer about a known number takes some hundreds longer than one about a new number.
LONGEST = 4096
SECRET = secrets.token_bytes(16)


def blur_time(number: str) -> None:
    """Wait for up to four milliseconds. The number decides how long: whoever asks again and again learns nothing from
    the mean."""
    time.sleep(hash((SECRET, number)) % LONGEST / 1_000_000)
