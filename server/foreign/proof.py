"""How other systems prove that a payload is theirs: a signature over the body, or a key within it."""

import base64
import hmac
from collections.abc import Mapping
from typing import Any

TYPEFORM = "Typeform-Signature"
META = "X-Hub-Signature-256"
GOOGLE = "google_key"


def proofs_of(signatures: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, str]:
    """What came as a proof, by its header or its parameter."""
    key = body.get(GOOGLE)
    given = isinstance(key, str | int) and str(key).strip()
    return dict(signatures) | ({GOOGLE: str(key).strip()} if given else {})


def holds(name: str, proof: str, signed: bytes, secret: str) -> bool:
    """Whether a proof is one of who knows the secret: the secret itself, or a signature over the body, `sha256=…`,
    which Typeform writes in Base64 and Meta in hex."""
    if name == GOOGLE:
        return same(proof, secret)
    digest = hmac.digest(secret.encode(), signed, "sha256")
    text = base64.b64encode(digest).decode() if name == TYPEFORM else digest.hex()
    return same(proof.strip(), f"sha256={text}")


def same(sent: str, known: str) -> bool:
    """Whether two texts are the same, in a time that does not tell how much of them is."""
    return hmac.compare_digest(sent.encode(errors="surrogatepass"), known.encode())
