"""What the product writes is for its own user alone, whatever the umask, and whatever it was before."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from server.errors import SettingError

# What lies in the data folder, and beside an SQLite file.
OURS = ("secret.key*", "migrate.lock", "metrics", "metrics/*")
# One of these lies in each data folder that was ever used.
KNOWN = frozenset({"secret.key", "migrate.lock", "handraiser.db"})
JOURNALS = ("", "-wal", "-shm", "-journal", ".lock")


def keep_private(folder: Path, database: Path | None) -> None:
    """Sees that nobody else can read or enter; raises SettingError where that cannot be done. From here on this process
    makes nothing that others may read."""
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True)
    if is_shared(folder):
        raise SettingError(f"HANDRAISER_DATA_DIR is wrong. {folder} is used by others too. Name a folder of its own.")
    try:
        close([folder, *(path for pattern in OURS for path in folder.glob(pattern))])
        if database is not None:
            close(Path(f"{database}{suffix}") for suffix in JOURNALS)
    except PermissionError as error:
        owner = "belongs to another user" if is_anothers(folder) else "cannot be closed to other users"
        how = "Give it to the user that runs Handraiser, or name another folder."
        raise SettingError(f"HANDRAISER_DATA_DIR is wrong. {error.filename} {owner}. {how}") from error


def is_shared(folder: Path) -> bool:
    """Whether it is open to others and was not made for us: to close /tmp or / would stop the machine."""
    mode = folder.stat().st_mode
    if not mode & 0o077:
        return False
    names = {path.name for path in folder.iterdir()} - {"lost+found"}
    return bool(mode & stat.S_ISVTX) or (bool(names) and names.isdisjoint(KNOWN))


def close(paths: Iterable[Path]) -> None:
    """Takes every right from group and others."""
    for path in paths:
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue
        if mode & 0o077 and not stat.S_ISLNK(mode):
            path.chmod(0o700 if stat.S_ISDIR(mode) else 0o600)


def is_anothers(folder: Path) -> bool:
    """Whether the folder belongs to another user."""
    return folder.stat().st_uid != os.geteuid()
