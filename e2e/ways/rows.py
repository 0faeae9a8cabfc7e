"""The table: which ways there are, at which kinds of listener they are tried, in which runtimes, and why not.

Rows up to 44 are those of the list of known vulnerabilities, the others ours. Every row is tried at every
kind in every runtime, or a rule of `NOT` says why it makes no sense there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from e2e.attacks import TITLES

ROWS = {
    **TITLES,
    20: "keys of tokens that can not be fetched (CVE-2026-31837)",
    21: "tokens of another algorithm, with another key's name (CVE-2022-29217)",
    22: "tokens that say where their keys are (SSRF)",
    27: "names that look like the one SPIFFE ID (CVE-2022-40716)",
    28: "tokens that are not what was signed (SPIRE 1.14.6)",
    29: "pages and services of proxies and control planes (CVE-2026-31838)",
    30: "pages of other origins, and this machine's name (CVE-2026-45021)",
    31: "garbage, crowds and huge messages (CVE-2022-23635)",
    37: "claims nested deeply (CVE-2026-0994)",
    38: "clients that go away while a filter is asked (CVE-2026-47205)",
    41: "filters that loop, grow, raise and die (CVE-2026-22771)",
    42: "a limit's key spelled otherwise (CVE-2026-26330)",
    43: "JSON nested deeply in configuration (CVE-2026-48042)",
    44: "forged cookies (CVE-2026-47775)",
    45: "paths in every spelling",
    46: "hosts in every spelling",
    47: "headers in every spelling",
    48: "Envoy's own ports, the original destination forged",
    49: "the workload's address in place of the service's",
    50: "HTTP at a port of TCP, and the other way round",
    51: "ports and hosts that no document names",
    52: "tunnels and what they carry",
    53: "loops",
    54: "IPv6",
    55: "an application's own listeners, from another machine",
}


class Side(Enum):
    """Who comes: peers, the sidecar's own application, strangers."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of listener that we generate. `proves` where callers may show a certificate."""

    name: str
    side: Side
    proves: bool = False
    transparent: bool = False


KINDS = {
    each.name: each
    for each in (
        Kind("gateway http", Side.GATEWAY),
        Kind("gateway https", Side.GATEWAY, proves=True),
        Kind("gateway mesh", Side.GATEWAY, proves=True),
        Kind("inbound strict", Side.INBOUND, proves=True),
        Kind("inbound open", Side.INBOUND),
        Kind("outbound", Side.OUTBOUND),
        Kind("transparent inbound strict", Side.INBOUND, proves=True, transparent=True),
        Kind("transparent inbound open", Side.INBOUND, transparent=True),
        Kind("transparent outbound", Side.OUTBOUND, transparent=True),
        Kind("transparent outbound registry", Side.OUTBOUND, transparent=True),
    )
}
"""`mesh` is ISTIO_MUTUAL (an egress gateway), `open` PERMISSIVE called without TLS, `registry` REGISTRY_ONLY;
the other one leaves alone what no document names."""

ASKED = ("native", "authz", "proc")
RUNTIMES = (*ASKED, "wasm")
"""`native` is AuthorizationPolicy, the others are what FilterPolicy carries or refuses."""


@dataclass(frozen=True, slots=True)
class Why:
    """Where rows are not tried, and why; `elsewhere` names the test that tries them."""

    reason: str
    applies: Callable[[int, Kind, str], bool]
    elsewhere: str = ""


def rows(numbers: Iterable[int]) -> Callable[[int, Kind, str], bool]:
    """At no listener."""
    chosen = frozenset(numbers)
    return lambda row, _kind, _runtime: row in chosen


TOKENS = frozenset({19, 20, 21, 22, 28, 37, 44})
OF_HTTP = frozenset({"gateway http", "gateway https", "gateway mesh", "outbound"})

NOT: tuple[Why, ...] = (
    Why("FilterPolicy refuses runtime: wasm", lambda _row, _kind, runtime: runtime == "wasm"),
    Why(
        "no listener reads JSON that clients send; documents and the admin API do",
        rows({43}),
        "tests/config/test_documents.py",
    ),
    Why(
        "AuthorizationPolicy stands where requests come in",
        lambda _row, kind, runtime: runtime == "native" and kind.side is Side.OUTBOUND,
    ),
    Why("no filter is asked", lambda row, _kind, runtime: runtime == "native" and row in {41, 42}),
    Why(
        "tokens are read where requests come in (RequestAuthentication)",
        lambda row, kind, _runtime: row in TOKENS and kind.side is Side.OUTBOUND,
    ),
    Why(
        "nobody shows a certificate there",
        lambda row, kind, _runtime: row in {10, 25, 26, 27} and not kind.proves,
    ),
    Why(
        "only transparent sidecars ask where a connection was going",
        lambda row, kind, _runtime: row == 48 and not kind.transparent,
    ),
    Why(
        "peers and strangers always come to its own address",
        lambda row, kind, _runtime: row == 49 and kind.side is not Side.OUTBOUND,
    ),
    Why(
        "it has no port of TCP; what is no HTTP is row 31",
        lambda row, kind, _runtime: row == 50 and kind.name in OF_HTTP,
    ),
    Why(
        "a filter is about HTTP, and documents say TCP of this port (analyze: MX121)",
        lambda row, kind, runtime: row == 50 and kind.side is Side.INBOUND and runtime != "native",
    ),
    Why(
        "nobody listens at a port that was not told of",
        lambda row, kind, _runtime: row == 51 and kind.side is Side.INBOUND and not kind.transparent,
    ),
    Why(
        "it leads to one application, never on",
        lambda row, kind, _runtime: row == 53 and kind.side is Side.INBOUND and not kind.transparent,
    ),
    Why(
        "it listens at an address of IPv4",
        lambda row, kind, _runtime: row == 54 and not kind.transparent,
    ),
    Why(
        "it is for other machines",
        lambda row, kind, _runtime: row == 55 and kind.side is not Side.OUTBOUND,
    ),
    Why(
        "ALLOW_ANY: what no document names is passed on as it is",
        lambda row, kind, _runtime: row == 51 and kind.name == "transparent outbound",
    ),
)


def why_not(row: int, kind: Kind, runtime: str) -> Why | None:
    """The first rule that says why a row is not tried; None where it is."""
    return next((each for each in NOT if each.applies(row, kind, runtime)), None)
