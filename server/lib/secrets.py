"""Random identifiers, secrets and the digests that we keep of them."""

import hashlib
import os
import secrets
import time
import uuid

# What RFC 9562 makes of the digit that names the variant: its upper bits are set.
VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def new_id() -> str:
    """A UUID version 7 (RFC 9562): later ones sort last, so that indexes grow at one end, and of what came in one
    millisecond the list tells the order. Twelve bits say which part of it, a quarter of a microsecond each (its §6.2,
    method 3)."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    return spelt(((milliseconds << 16) + rest * 4096 // 1_000_000).to_bytes(8, "big").hex() + os.urandom(8).hex(), 7)


def random_id() -> str:
    """A UUID version 4: says nothing, not even when it was made."""
    return spelt(os.urandom(16).hex(), 4)


def spelt(digits: str, version: int) -> str:
    """32 hex digits as a UUID of that version."""
    return f"{digits[:8]}-{digits[8:12]}-{version}{digits[13:16]}-{VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"


def new_token(prefix: str = "") -> str:
    """A token or a public key: 128 random bits as 32 lower-case hex characters, after its prefix."""
    return prefix + secrets.token_hex(16)


def new_secret() -> str:
    """A private key or password: 256 random bits, safe in URLs and shells."""
    return secrets.token_urlsafe(32)


def masked(text: str, prefix: str = "") -> str:
    """A secret as it is shown to people who know it and have to tell it from others."""
    return f"{prefix}{text.removeprefix(prefix)[:4]}…{text[-2:]}"


def digest(text: str) -> str:
    """SHA-256 in hex. Fit for secrets of 256 random bits, which nobody can guess; never for passwords."""
    # JSON can bring half a surrogate pair, which has no place in UTF-8: it is no secret of ours.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def is_id(text: str) -> bool:
    """Whether the text is a UUID in its usual spelling."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
