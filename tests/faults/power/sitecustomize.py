"""What a power cut leaves of SQLite's files, copied in the server's process: a file as it was when it was last synced.

Python runs this at the start of each process that has this folder on its path. Whatever was written and not synced
afterwards is in no copy, as if the disk had kept it in a cache that lost its power.
"""

import _sqlite3
import ctypes
import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

KEPT = Path(os.environ["TEST_KEPT"])
SYNCHRONOUS = os.environ.get("TEST_SYNCHRONOUS", "")

# Where SQLite's struct `sqlite3_vfs` has xOpen, and `sqlite3_io_methods` its functions, in words of eight bytes.
VFS_OPEN, METHODS = 5, 19
READ, SYNC, FILE_SIZE = 2, 5, 6

Pointer, Int, Size = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
# The path is a pointer, too: SQLite keeps it.
Open = ctypes.CFUNCTYPE(Int, Pointer, Pointer, Pointer, Int, Pointer)
Sync = ctypes.CFUNCTYPE(Int, Pointer, Int)
Read = ctypes.CFUNCTYPE(Int, Pointer, Pointer, Int, Size)
FileSize = ctypes.CFUNCTYPE(Int, Pointer, ctypes.POINTER(Size))

# The module brings along the SQLite with which it was linked.
library = ctypes.CDLL(_sqlite3.__file__)
library.sqlite3_vfs_find.restype = Pointer
vfs = (Pointer * 16).from_address(library.sqlite3_vfs_find(None))
assert ctypes.sizeof(Pointer) == 8
# Whatever SQLite may call must live as long as the process.
alive: list[Any] = []
names: dict[int, str] = {}
watched: dict[int, Any] = {}


def watch(address: int) -> Any:
    """The functions of a kind of file, with a sync that keeps a copy."""
    real = (Pointer * METHODS).from_address(address)
    sync, read, size_of = Sync(real[SYNC]), Read(real[READ]), FileSize(real[FILE_SIZE])

    def keep(file: int, flags: int) -> int:
        result = int(sync(file, flags))
        size = Size()
        # By SQLite's own functions: to open the file once more and close it would let go of its locks.
        if result == 0 and file in names and size_of(file, ctypes.byref(size)) == 0:
            content = ctypes.create_string_buffer(size.value)
            if read(file, content, size.value, 0) == 0:
                (KEPT / names[file]).write_bytes(content.raw)
        return result

    copy = (Pointer * METHODS)(*real)
    alive.extend((copy, kept := Sync(keep)))
    copy[SYNC] = ctypes.cast(kept, Pointer)
    return copy


open_really = Open(vfs[VFS_OPEN])


def open_watched(which: int, path: int | None, file: int, flags: int, found: int) -> int:
    result = int(open_really(which, path, file, flags, found))
    methods = Pointer.from_address(file)
    if result == 0 and path is not None and methods.value is not None:
        names[file] = os.path.basename(ctypes.string_at(path).decode())
        if methods.value not in watched:
            watched[methods.value] = watch(methods.value)
        methods.value = ctypes.addressof(watched[methods.value])
    return result


alive.append(watching := Open(open_watched))
vfs[VFS_OPEN] = ctypes.cast(watching, Pointer)


class Careless(sqlite3.Connection):
    """A connection that syncs less than it is told to."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        careless = f"pragma synchronous = {SYNCHRONOUS}"
        return super().execute(careless if sql == "pragma synchronous = full" else sql, *values)


if SYNCHRONOUS:
    sqlite3.connect = sqlite3.dbapi2.connect = partial(sqlite3.connect, factory=Careless)  # type: ignore[misc]
