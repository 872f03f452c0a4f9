"""The TCP connections of this process, told apart by how many bytes they have sent. Linux tells that; elsewhere there
are none."""

import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# struct tcp_info of Linux: where `tcpi_bytes_sent` and `tcpi_bytes_retrans` lie in it, since 4.19.
BYTES_SENT = struct.Struct("=QQ")
BYTES_SENT_AT = 200
LENGTH = BYTES_SENT_AT + BYTES_SENT.size
# An answer that has not gone out after so many looks was for a connection that broke.
LOOKS = 20


def open_sockets() -> dict[int, int]:
    """The bytes that each connection has sent so far, by its descriptor."""
    sent = {}
    with suppress(OSError):
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError), held(int(name)) as one:
                sent[int(name)] = bytes_sent(one)
    return sent


@contextmanager
def held(number: int) -> Iterator[socket.socket]:
    """A socket by a descriptor of our own: the other may be closed at any moment, and its number given to another.
    Raises OSError if there is none."""
    if not stat.S_ISSOCK(os.fstat(number).st_mode):
        raise OSError("no socket")
    with socket.socket(fileno=os.dup(number)) as one:
        yield one


def bytes_sent(one: socket.socket) -> int:
    """What went out, without what went out again; raises OSError for what is no connection of TCP."""
    info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LENGTH)
    if len(info) < LENGTH:
        raise OSError("this kernel does not tell")
    sent, again = BYTES_SENT.unpack_from(info, BYTES_SENT_AT)
    return int(sent - again)


class Marked:
    """Connections on which an answer of one length goes out, which nothing else has: that tells them from others."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.before = open_sockets()
        # How many answers went out on connections that were not found yet, and how often they may still be looked for.
        self.left = 0
        self.looks = LOOKS

    def hang_up(self) -> None:
        """Ends those on which the whole answer has gone out."""
        self.looks -= 1
        for number, sent in open_sockets().items():
            if sent - self.before.get(number, 0) == self.length and end(number, sent):
                self.left -= 1
                # What happens there afterwards is no affair of ours.
                self.before[number] = sent
        if not self.looks:
            self.left = 0


def end(number: int, sent: int) -> bool:
    """Ends a connection, whoever reads from it; False if it has sent more by now, or is another."""
    with suppress(OSError), held(number) as one:
        if bytes_sent(one) == sent:
            one.shutdown(socket.SHUT_RDWR)
            return True
    return False
