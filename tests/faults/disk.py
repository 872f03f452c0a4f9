"""A small disk of the test's own, which may be full or read only without anybody else on the machine feeling it."""

import os
import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

Processes = Callable[[], set[int]]

# Where a container lets nobody mount anything, this is a small disk that it has.
SHARED = Path("/dev/shm")
LARGEST = 256 * 2**20
NONE_FOUND = """\
These tests need a small disk. One of these helps:
  - be root, or one who may `sudo -n mount` or `unshare --map-root-user --mount`
  - in a container: start it with --cap-add SYS_ADMIN, or leave its /dev/shm as small as it usually is"""

# The end of its standard input is our end, be it by kill -9: it clears up as soon as nobody uses the disk any more.
KEEPER = """
mount -t tmpfs -o "size=$2,mode=755,uid=${SUDO_UID:-0}" handraiser "$1" && echo 0 || exit
while read -r order; do eval "$order"; echo $?; done
while mountpoint -q "$1"; do umount "$1" || sleep 0.2; done
"""


@dataclass(frozen=True)
class Disk:
    """A folder that is a file system, and the process that has mounted it, if it was mounted for us."""

    folder: Path
    keeper: "subprocess.Popen[str] | None" = None

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

    @contextmanager
    def read_only(self, processes: Processes) -> Iterator[None]:
        """Whoever opens a file may not write to it. The kernel lets no disk be read only that has files open for
        writing, so it is another mount of the same disk, over the first. Where there is none, these processes
        may write nothing."""
        if self.keeper is None:
            with limited(processes, resource.RLIMIT_FSIZE, 0):
                yield
            return
        order(self.keeper, 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"')
        yield
        order(self.keeper, 'mount -o remount,bind,rw "$1"')


@contextmanager
def limited(processes: Processes, what: int, most: int) -> Iterator[None]:
    """Sets a limit of some processes, and at the end, of those that are there then, to what it may be at most."""
    for process in processes():
        resource.prlimit(process, what, (most, resource.prlimit(process, what)[1]))
    yield
    for process in processes():
        _, hard = resource.prlimit(process, what)
        resource.prlimit(process, what, (hard, hard))


def order(keeper: "subprocess.Popen[str]", command: str) -> None:
    """Has the keeper run a command where it sees the disk."""
    assert keeper.stdin
    keeper.stdin.write(command + "\n")
    keeper.stdin.flush()
    assert heard(keeper), command


def heard(keeper: "subprocess.Popen[str]") -> bool:
    """Whether it says that all is well."""
    assert keeper.stdout
    return keeper.stdout.readline().strip() == "0"


@contextmanager
def small_disk(size: str) -> Iterator[Disk]:
    """A disk of that size, such as `8m`, for which it is cleaned up."""
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="handraiser-disk-", ignore_cleanup_errors=True))
        root = os.geteuid() == 0
        # Who may look into the namespace of another process sees there what is mounted in it.
        ways = {"": name} if root else {"unshare --map-root-user --mount": "/proc/{}/root" + name, "sudo -n": name}
        for way, place in ways.items():
            keeper = stack.enter_context(started([*way.split(), "sh", "-c", KEEPER, "keeper", name, size]))
            if heard(keeper):
                # The locks of this process are files that stay open.
                stack.callback(order, keeper, 'while mountpoint -q "$1"; do umount -l "$1"; done')
                yield Disk(Path(place.format(keeper.pid)), keeper)
                return
        about = os.statvfs(SHARED)
        if about.f_blocks * about.f_frsize > LARGEST:
            raise RuntimeError(NONE_FOUND)
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=SHARED, ignore_cleanup_errors=True))
        Path(folder).chmod(0o755)
        yield Disk(Path(folder))


def started(command: list[str]) -> "subprocess.Popen[str]":
    """A keeper, in a session of its own: neither Ctrl-C nor the end of our process group takes it along."""
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
