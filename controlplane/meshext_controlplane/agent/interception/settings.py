"""What a transparent sidecar intercepts: Istio's annotations `traffic.sidecar.istio.io/...`, checked."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from meshext.errors import ConfigError

ALL = "*"
EVERYWHERE = (ipaddress.IPv4Network("0.0.0.0/0"),)
USER = 1337
"""The user that Envoy and its agent run as, Istio's: nobody else may have it, since it is not intercepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interception:
    """Where connections are led, and which are left alone. Ports of Envoy are TCP, `dns` is UDP or None.

    `user` and `group` are those of Envoy and its agent. `inbound_ports` None means every port;
    `outbound_ports` are intercepted wherever they lead, whatever the ranges say.
    """

    outbound: int = 15001
    inbound: int = 15006
    dns: int | None = 15053
    user: int = USER
    group: int = USER
    outbound_ranges: tuple[ipaddress.IPv4Network, ...] = EVERYWHERE
    without_outbound_ranges: tuple[ipaddress.IPv4Network, ...] = ()
    outbound_ports: tuple[int, ...] = ()
    without_outbound_ports: tuple[int, ...] = ()
    inbound_ports: tuple[int, ...] | None = None
    without_inbound_ports: tuple[int, ...] = ()


def parse_ports(text: str, *, source: str) -> tuple[int, ...]:
    """Ports with commas between them; ConfigError names each that is none."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    wrong = [word for word in words if not (word.isascii() and word.isdigit() and 1 <= int(word) <= 65_535)]
    if wrong:
        raise ConfigError(
            [f"{word[:40]!r} is no port; write numbers from 1 to 65535, as in 22,9090" for word in wrong],
            source=source,
        )
    return tuple(sorted({int(word) for word in words}))


def parse_inbound_ports(text: str, *, source: str) -> tuple[int, ...] | None:
    """Ports as `parse_ports` reads them; None for `*`, which is every port."""
    return None if text.strip() == ALL else parse_ports(text, source=source)


def parse_ranges(text: str, *, source: str) -> tuple[ipaddress.IPv4Network, ...]:
    """IPv4 ranges (CIDR) with commas between them, `*` for all of them; ConfigError otherwise."""
    if text.strip() == ALL:
        return EVERYWHERE
    found, problems = [], []
    for word in (each.strip() for each in text.split(",") if each.strip()):
        try:
            found.append(ipaddress.IPv4Network(word, strict=False))
        except ValueError:
            problems.append(f"{word[:40]!r} is no IPv4 range; write CIDR, as in 10.0.0.0/8, or *")
    if problems:
        raise ConfigError(problems, source=source)
    return tuple(found)


def parse_user(text: str, *, source: str) -> tuple[int, int]:
    """`UID[:GID]`, the group of the same number where none is given; ConfigError otherwise, and for root."""
    user, _, group = text.partition(":")
    words = (user, group or user)
    if not all(word.isascii() and word.isdigit() and int(word) < 2**32 - 1 for word in words):
        raise ConfigError([f"{text[:40]!r}: write UID or UID:GID, both numbers, as in 1337"], source=source)
    if int(user) == 0:
        raise ConfigError(
            ["applications that run as root would not be intercepted; write a user of the sidecar's own"],
            source=source,
        )
    return int(words[0]), int(words[1])
