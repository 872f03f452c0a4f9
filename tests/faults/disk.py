"""A small disk of the test's own, which may be full or read only without anybody else on the machine feeling it."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

NOT_MOUNTED = """\
These tests need a small disk: a tmpfs, which root mounts (in a container: with --cap-add SYS_ADMIN), and anybody
else in a namespace of the user's own (`unshare -rm true` must work)."""

# The end of its standard input is our end, be it by kill -9: it clears up as soon as nobody uses the disk any more.
KEEPER = """
mount -t tmpfs -o "size=$2,mode=755" handraiser "$1" && echo 0 || exit
while read -r order; do eval "$order"; echo $?; done
while mountpoint -q "$1"; do umount "$1" || sleep 0.2; done
"""


@dataclass(frozen=True)
class Disk:
    """A tmpfs, and the process in whose sight it is mounted."""

    folder: Path
    keeper: "subprocess.Popen[str]"

    @property
    def ballast(self) -> Path:
        """What takes up the space."""
        return self.folder / "ballast"

    def fill(self, spare: int = 0) -> None:
        """Leaves so many bytes."""
        with suppress(OSError), self.ballast.open("ab") as file:
            file.write(bytes(max(0, self.spare() - spare)))

    def free(self) -> None:
        """Gives the space back."""
        self.ballast.unlink()

    def spare(self) -> int:
        """How many bytes are left."""
        about = os.statvfs(self.folder)
        return about.f_bavail * about.f_bsize

    def read_only(self) -> None:
        """Whoever opens a file may not write to it. The kernel lets no disk be read only that has files open for
        writing, so it is another mount of the same disk, over the first."""
        self.order('mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"')

    def writable(self) -> None:
        """As it was."""
        self.order('mount -o remount,bind,rw "$1"')

    def order(self, command: str) -> None:
        """Has the keeper run a command in its sight."""
        assert self.keeper.stdin
        self.keeper.stdin.write(command + "\n")
        self.keeper.stdin.flush()
        self.heard()

    def heard(self) -> None:
        """Waits until it says that all is well."""
        assert self.keeper.stdout
        said = self.keeper.stdout.readline().strip()
        if said != "0":
            raise RuntimeError(NOT_MOUNTED)


@contextmanager
def small_disk(size: str) -> Iterator[Disk]:
    """A disk of that size, such as `8m`."""
    with tempfile.TemporaryDirectory(prefix="handraiser-disk-", ignore_cleanup_errors=True) as name:
        root = os.geteuid() == 0
        keeper = subprocess.Popen(
            [*([] if root else ["unshare", "-rm"]), "sh", "-c", KEEPER, "keeper", name, size],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # Neither Ctrl-C nor the end of our process group takes it along.
            start_new_session=True,
        )
        with keeper:
            # Who may look into the namespace of another process sees it here.
            disk = Disk(Path(name) if root else Path(f"/proc/{keeper.pid}/root{name}"), keeper)
            disk.heard()
            try:
                yield disk
            finally:
                # Our own locks are files that stay open.
                disk.order('while mountpoint -q "$1"; do umount -l "$1"; done')
