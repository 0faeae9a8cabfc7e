"""Loopback addresses for workloads: one each, so that all may use the same ports without root.

All of 127.0.0.0/8 is this machine's on Linux (RFC 1122 section 3.2.1.3). An address is taken by a UDP socket
on its port `MARKER`, held as long as we live: no other `meshext up` chooses it then, whoever dies first, and
no TCP port is in the way.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress

from meshext.envoy.preflight import Address, check_free
from meshext.errors import ListenError
from meshext_controlplane.up.errors import UpError

FIRST = ipaddress.IPv4Address("127.1.0.1")
LAST = ipaddress.IPv4Address("127.1.255.254")
MARKER = 15001  # of UDP


class Addresses:
    """Addresses that are ours; `close` gives them free."""

    def __init__(self) -> None:
        self._marks: dict[str, socket.socket] = {}

    def take(self, ports: Iterable[int]) -> str:
        """The first address that nobody else has and on which all these TCP ports are free.

        UpError where the machine has no such addresses, or none is left.
        """
        wanted = tuple(ports)
        for address in _candidates():
            if address not in self._marks and self._claim(address, wanted):
                return address
        raise UpError(f"no address from {FIRST} to {LAST} is free; stop another `meshext up`")

    def close(self) -> None:
        """Give all of them free."""
        while self._marks:
            self._marks.popitem()[1].close()

    def _claim(self, address: str, ports: tuple[int, ...]) -> bool:
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind((address, MARKER))
        except OSError as error:
            mark.close()
            if error.errno == errno.EADDRNOTAVAIL:
                raise UpError(
                    f"{address} is no address of this machine; on macOS: sudo ifconfig lo0 alias {address} up"
                ) from None
            return False
        with suppress(ListenError):
            for port in ports:
                check_free(Address(address, port))
            self._marks[address] = mark
            return True
        mark.close()
        return False


def _candidates() -> Iterator[str]:
    return (str(ipaddress.IPv4Address(number)) for number in range(int(FIRST), int(LAST) + 1))
