"""Addresses that stand for services where documents give none, for transparent sidecars to know them by.

A connection says only where it goes, and names are resolved before: two services on one port are told apart
by address alone. The range is the one that Istio takes: class E, which nobody routes.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Mapping

RANGE = ipaddress.IPv4Network("240.240.0.0/16")
_FIRST, _COUNT = 1, 2**16 - 2  # neither the network's own address nor its last


def allocate_addresses(hosts: Iterable[str]) -> Mapping[str, str]:
    """An address for each host, as many as there are; those that come last by name have none beyond that.

    It depends on the host's name: an edit changes nobody else's, but where two names meet at one place.
    """
    taken: set[int] = set()
    found: dict[str, str] = {}
    for host in sorted(set(hosts))[:_COUNT]:
        digest = hashlib.sha256(host.encode()).digest()
        place = int.from_bytes(digest[:8]) % _COUNT
        while place in taken:
            place = (place + 1) % _COUNT
        taken.add(place)
        found[host] = str(RANGE[place + _FIRST])
    return found
