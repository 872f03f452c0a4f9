"""Secrets at rest: sealed under one key, which a setting gives or a file beside the data keeps."""

import base64
import hashlib
import hmac
import os
from functools import cached_property
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from server.lib.secrets import new_secret


class Vault:
    """Seals texts and opens them again. A key is made at first use if there is none."""

    def __init__(self, file: Path, key: str = "") -> None:
        self.file = file
        self.key = key

    @cached_property
    def text(self) -> str:
        """The key itself, read once."""
        return self.key or kept_key(self.file)

    @cached_property
    def cipher(self) -> Fernet:
        """Made of the key's text, so that a file's content may move to the setting."""
        digest = hashlib.sha256(self.text.encode()).digest()
        return Fernet(base64.urlsafe_b64encode(digest))

    def seal(self, text: str) -> str:
        """The text as it may be stored."""
        return self.cipher.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str | None:
        """The text that was sealed; None if it was sealed under another key."""
        try:
            return self.cipher.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    def signing_key(self, purpose: str) -> bytes:
        """A key of its own for what is signed for one purpose, so that no signature can be passed off as another's."""
        return hmac.digest(self.text.encode(), purpose.encode(), "sha256")


def kept_key(file: Path) -> str:
    """The key of a file, which is made if it is not there; of several who make it at once one wins."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        made = file.with_name(f"{file.name}.{new_secret()[:8]}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w") as written:
                written.write(new_secret())
                written.flush()
                os.fsync(written.fileno())
            # Unlike a renaming, a link does not replace what another has made meanwhile.
            os.link(made, file)
            sync(file.parent)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return file.read_text().strip()


def sync(folder: Path) -> None:
    """Sees that a new name outlives a power cut: what is sealed under a key that is gone is gone too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
