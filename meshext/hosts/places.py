"""Where the workers of a service listen: all on one port, or each on a Unix socket of its own."""

from __future__ import annotations

import contextlib
import os
import socket

from meshext.errors import ListenError
from meshext.hosts.address import Address, check_socket_path, parse_address, reserve


class Places:
    """The addresses, one for each worker, kept from others for as long as the service runs."""

    def __init__(self, listen: str, workers: int) -> None:
        """Raises ListenError where somebody else is there."""
        self._kept: list[socket.socket] = []
        found: list[Address] = []
        for wanted in spread(parse_address(listen), workers):
            address, kept = reserve(wanted)
            found.append(address)
            self._kept += [kept] if kept is not None else []
        self.addresses = tuple(found if found[0].path else found * workers)

    def told(self) -> tuple[Address, ...]:
        """Each address once, for whoever wants to call."""
        return tuple(dict.fromkeys(self.addresses))

    def withdraw(self) -> None:
        """Let nobody find the Unix sockets any more."""
        for address in self.told():
            if address.path:
                with contextlib.suppress(OSError):
                    os.unlink(address.path)

    def close(self) -> None:
        """Give them back, and take away what a killed worker left."""
        for kept in self._kept:
            kept.close()
        for address in self.told():
            if address.path:
                with contextlib.suppress(ListenError):
                    check_socket_path(address.path)


def spread(address: Address, workers: int) -> list[Address]:
    """A port is shared; of a Unix socket each of several workers has its own: `PATH.0`, `PATH.1`."""
    if not address.path or workers == 1:
        return [address]
    return [parse_address(f"{address}.{number}") for number in range(workers)]
