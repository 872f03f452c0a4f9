"""Where tests keep a database that they never have to find again: in memory, where no commit waits for a disk."""

import os
from pathlib import Path

SHARED = Path("/dev/shm")
# Both databases of all of pytest's processes stay far below.
ROOM = 4 * 2**30


def folder() -> Path | None:
    """A folder in memory if there is one with room, and from which programs may be run as PostgreSQL's are; else none,
    and `tempfile` puts things where it always does."""
    if not SHARED.is_dir():
        return None
    about = os.statvfs(SHARED)
    roomy = about.f_bavail * about.f_frsize >= ROOM
    return SHARED if roomy and not about.f_flag & os.ST_NOEXEC else None
