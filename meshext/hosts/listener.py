"""The sockets under gRPC's server, which has no way to close its port and let its connections live.

Linux tells them in `/proc/self/fd`; elsewhere nothing is found, and the server is stopped without.

A Unix socket is bound under a name of its own and then renamed: the new one takes the place of the old one
at once, and gRPC, which removes the name that it bound, never removes its successor's.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from itertools import count
from urllib.parse import quote

from meshext.hosts.address import Address, private_path

DESCRIPTORS = "/proc/self/fd"
NUMBERS = count()


class Port:
    """Where one server listens."""

    def __init__(self, address: Address) -> None:
        self._public = address
        self._bound = Address(path=private_path(address.path, next(NUMBERS))) if address.path else address
        self._inode = 0

    @property
    def target(self) -> str:
        """What gRPC is told; it decodes %41."""
        return f"unix:{quote(self._bound.path)}" if self._bound.path else str(self._bound)

    def publish(self) -> None:
        """The server listens: let it be found."""
        if self._bound.path:
            self._inode = os.stat(self._bound.path).st_ino
            os.rename(self._bound.path, self._public.path)

    def withdraw(self) -> None:
        """Let nobody find it any more; a successor under the same name stays."""
        with contextlib.suppress(OSError):
            if self._bound.path and os.stat(self._public.path).st_ino == self._inode:
                os.unlink(self._public.path)

    def close(self) -> None:
        """Accept no more connections; those that are open live on."""
        self.withdraw()
        if not self._bound.path:  # a Unix socket that has lost its name takes what had found it before
            close_port(self._bound)

    def count_connections(self) -> int | None:
        """Connections that are open; None where the system does not tell."""
        return count_connections(self._bound)


def close_port(address: Address) -> int:
    """Accept no more connections there; how many listening sockets were closed.

    gRPC keeps the descriptor, which from now on is a socket that nobody can reach.
    """
    closed = 0
    for descriptor, listening in own_sockets(address):
        if listening:
            with socket.socket(socket.AF_UNIX) as nowhere:
                os.dup2(nowhere.fileno(), descriptor, inheritable=False)
            closed += 1
    return closed


def count_connections(address: Address) -> int | None:
    """Connections that are open there; None where the system does not tell."""
    if not os.path.isdir(DESCRIPTORS):
        return None
    return sum(not listening for _, listening in own_sockets(address))


def own_sockets(address: Address) -> Iterator[tuple[int, bool]]:
    """Sockets of this process that are bound there: the descriptor, and whether it listens."""
    names: list[str] = []
    with contextlib.suppress(OSError):
        names = os.listdir(DESCRIPTORS)
    for name in names:
        try:
            if not os.readlink(f"{DESCRIPTORS}/{name}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(name))) as found:
                if is_bound(found, address):
                    yield int(name), bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        except OSError:  # closed meanwhile
            continue


def is_bound(found: socket.socket, address: Address) -> bool:
    """Whether a socket is one of the server's at that address."""
    name = found.getsockname()
    if address.path:
        return found.family == socket.AF_UNIX and name == address.path
    tcp = found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM
    return tcp and name[1] == address.port
