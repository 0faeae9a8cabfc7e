"""What is tried beside `e2e.attacks`: tokens, certificates, floods, pages of proxies, filters that misbehave.

An attempt that is a function fails by itself where the answer alone shows that somebody was let in.
"""

from __future__ import annotations

import random
import socket
import ssl
import struct
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from e2e.attacks import ADMIN, ATTACKS, PREFACE, Attack, Sender, carried, frame, headers, http1, http2
from e2e.raw import Where, connected, receive, send_bytes, status_of
from e2e.test_bypass import HOSTS, PATHS, ROLES
from e2e.ways.callers import TRICKS
from e2e.ways.guards import HEADER, HOW
from e2e.ways.keys import FAILING
from e2e.ways.tokens import DEPTHS

TOKENS: dict[int, tuple[str, ...]] = {
    20: tuple(f"{name}-{how}" for name in FAILING for how in ("mallory", "none", "blank")),
    21: (
        *("none-None", "none-NONE", "none-nOnE", "none-", "hs-pem", "hs-der", "hs-modulus", "hs-jwk"),
        *("ec-as-secret", "rs-named", "es384-named", "no-alg", "kid-of-b"),
        *("kid-path", "kid-sql", "jwk-inside", "x5c"),
    ),
    22: ("jku", "x5u", "issuer-url", "moved-mallory"),
    28: (
        *("changed", "twice-sub", "zeros", "no-signature", "two-parts", "five-parts", "payload-first"),
        *("in-der", "long-signature", "expired", "early", "exp-text", "sub-list", "iss-slash"),
    ),
    37: tuple(f"deep-{depth}" for depth in DEPTHS),
}
"""Tokens of each row, by their names in `tokens`."""

PAGES = (
    *("/config_dump", "/config_dump?include_eds", "/certs", "/clusters", "/server_info", "/stats/prometheus"),
    *(
        "/quitquitquit",
        "/healthcheck/fail",
        "/logging?level=trace",
        "/runtime_modify?a=b",
        "/drain_listeners",
    ),
    *("/debug/config_dump", "/debug/syncz", "/admin/config_dump", "/api/mesh", "/healthz/ready"),
)
SERVICES = (
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
    "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets",
    "/envoy.service.auth.v3.Authorization/Check",
    "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
)
ORIGINS = ("https://evil.test", "null", "http://localhost", "http://127.0.0.1:15000")
USED_UP = "banned"
"""The caller of `/limited/*` who has one hit in all, at each listener: `GROUND` says at which."""
GROUND = "x-ground: {ground}"


def bearing(row: int) -> list[Attack]:
    """The tokens of a row, as whoever may read `/token/*` shows them."""
    found = []
    for name in TOKENS[row]:
        found.append(Attack(row, name, http1("/token/x", f"authorization: Bearer {{{name}}}")))
        found.append(Attack(row, f"{name}, for all", http1("/admin", f"authorization: Bearer {{{name}}}")))
        found.append(Attack(row, f"{name}, in the query", http1(f"/token/x?access_token={{{name}}}")))
    return found


def telling(data: bytes, *marks: bytes) -> Sender:
    """A request whose answer may not have any of these in it."""

    def send(where: Where, tls: ssl.SSLContext | None) -> int:
        got = send_bytes(where, data, tls)
        told = [mark for mark in marks if mark in got.lower()]
        assert told == [], f"{data[:80]!r} was answered with {told}: {got[:300]!r}"
        return status_of(got)

    return send


def preflights() -> list[Attack]:
    """Pages of other origins, and requests that say they come from this machine."""
    marks = (b"access-control-allow-origin",)
    asking = ("access-control-request-method: DELETE", "access-control-request-headers: authorization")
    found = []
    for origin in ORIGINS:
        for target in ("/admin", "/internal/x", "/token/x"):
            data = http1(target, f"origin: {origin}", *asking, method="OPTIONS")
            found.append(Attack(30, f"OPTIONS {target} of {origin}", telling(data, *marks)))
            data = http1(target, f"origin: {origin}")
            found.append(Attack(30, f"GET {target} of {origin}", telling(data, *marks)))
    for host in ("localhost", "127.0.0.1", "localhost:15000", "[::1]"):
        data = http1("/admin", "x-forwarded-for: 127.0.0.1", host=host)
        found.append(Attack(30, f"Host: {host}", telling(data, *marks)))
    return found


def pages() -> list[Attack]:
    """What a proxy tells those who may ask it."""
    marks = (b"envoy.admin", b"last_updated", b"membership_healthy", b"begin private key")
    found = [Attack(29, each, telling(http1(each), *marks)) for each in PAGES]
    found += [Attack(29, f"POST {each}", telling(http1(each, method="POST"), *marks)) for each in PAGES]
    grpc = ((b"content-type", b"application/grpc"), (b"te", b"trailers"), (b"x-role", b"banned"))
    found += [Attack(29, each, http2(each.encode(), *grpc, method=b"POST")) for each in SERVICES]
    return found


def pour(data: bytes, *, shut: bool = True) -> Sender:
    """Send it on a plain connection, whatever is spoken there, and read to the end."""

    def send(where: Where, _: ssl.SSLContext | None) -> int:
        with connected(where, None) as link:
            link.settimeout(1.0)
            with suppress(OSError, ValueError):
                link.sendall(data)
                if shut:
                    link.shutdown(socket.SHUT_WR)
                while True:
                    receive(link)
        return 0

    return send


def crowd(where: Where, _: ssl.SSLContext | None) -> int:
    """Two hundred connections that say nothing, or half of something."""
    with ExitStack() as stack:
        for number in range(200):
            link = stack.enter_context(connected(where, None))
            with suppress(OSError):
                link.sendall(b"GET /admin HTTP/1.1\r\nHost: a.te"[: number % 32])
    return 0


def garbage() -> list[Attack]:
    """Bytes that are nothing."""
    noise = random.Random(31).randbytes(65_536)
    hello = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + noise[:16_384]
    found = {
        "noise": noise,
        "noise after HTTP/2's first words": PREFACE + noise,
        "a hello of TLS that is none": hello,
        "a record of TLS without end": b"\x16\x03\x03\xff\xff" + noise,
        "lines without end": b"GET /admin HTTP/1.1\r\n" + b"x: y\r\n" * 100_000,
        "a line without end": b"GET /" + b"a" * 4_000_000,
        "a name of SSH": b"SSH-2.0-x\r\n" + noise[:1000],
        "a huge frame": PREFACE + b"\xff\xff\xff\x00\x04" + bytes(4) + noise,
        "a huge message": PREFACE + frame(1, 4, 1, ADMIN) + frame(0, 0, 1, b"\0\xff\xff\xff\xff") * 1000,
        "PROXY": b"PROXY TCP4 10.0.0.1 10.0.0.1 1 1\r\n" + http1("/internal/x"),
        "PROXY, version 2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12) + http1("/internal/x"),
    }
    return [Attack(31, name, pour(data)) for name, data in found.items()] + [Attack(31, "a crowd", crowd)]


def resets(path: bytes, lines: bytes, count: int = 200) -> Sender:
    """Streams that are reset while their request is looked at; `lines` is more of it (RFC 7541)."""

    def send(where: Where, tls: ssl.SSLContext | None) -> int:
        head = b"\x82\x86\x41\x06a.test\x04" + bytes([len(path)]) + path + lines
        data = [frame(1, 5, number, head) for number in range(1, 2 * count, 2)]
        ends = [frame(3, 0, number, struct.pack(">I", 8)) for number in range(1, 2 * count, 2)]
        with connected(where, tls) as link, suppress(OSError, ValueError):
            link.settimeout(2.0)
            for start, end in zip(data, ends, strict=True):
                link.sendall((PREFACE if start is data[0] else b"") + start)
                link.sendall(end)
            link.sendall(frame(6, 0, 0, b"12345678"))
            receive(link)
        return 0

    return send


def leave(data: bytes, count: int = 50) -> Sender:
    """Connections that end by a TCP reset as soon as the request is sent."""

    def send(where: Where, tls: ssl.SSLContext | None) -> int:
        for _ in range(count):
            with connected(where, tls) as link, suppress(OSError):
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                link.sendall(data)
        return 0

    return send


BANNED = b"\x40\x06x-role\x06banned"
RESETS = [
    Attack(38, "200 resets to /x", resets(b"/x", b"")),
    Attack(38, "200 resets to /admin", resets(b"/admin", b"")),
    Attack(38, "200 resets of a role", resets(b"/x", BANNED)),
    Attack(38, "50 who leave /x", leave(http1("/x"))),
    Attack(38, "50 who leave /admin", leave(http1("/admin"))),
    Attack(38, "50 who leave a body", leave(http1("/admin", "content-length: 9", method="POST", body=b"x"))),
    Attack(38, "a role behind a body", http1("/x", "content-length: 0", "x-role: banned", method="POST")),
]


def limited() -> list[Attack]:
    """The caller who has no hit left, spelled otherwise."""
    found = []
    for lines in ROLES:
        named = [line.replace("role", "caller").replace("Role", "Caller") for line in lines]
        named = [line.replace("ROLE", "CALLER") for line in named]
        found.append(Attack(42, repr(named)[:60], http1("/limited/x", *named, GROUND)))
    for path in (
        "/limited/./x",
        "//limited/x",
        "/limited%2fx",
        "/x/../limited/x",
        "/limite%64/x",
        "/limited;/x",
    ):
        found.append(Attack(42, path, http1(path, f"x-caller: {USED_UP}", GROUND)))
    return found


def in_cookies() -> list[Attack]:
    """Tokens in a cookie."""
    named = [f"{{{name}}}" for name in ("cookie-forged", "cookie-none", "cookie-of-bob", "none", "changed")]
    found = [Attack(44, each, http1("/token/x", f"cookie: session={each}")) for each in named]
    pair = "cookie: session={cookie-of-bob}; session={cookie-forged}"
    quoted = 'cookie: session="{cookie-forged}"'
    twice = ("cookie: session={cookie-of-bob}", "cookie: session={cookie-none}")
    return [
        *found,
        Attack(44, "two in one", http1("/token/x", pair)),
        Attack(44, "quoted", http1("/token/x", quoted)),
        Attack(44, "twice", http1("/token/x", *twice)),
    ]


def tunnels(authority: str) -> list[Attack]:
    """CONNECT and upgrades, with a request inside that is denied."""
    inside = carried(authority)
    asking = (
        "upgrade: websocket",
        "connection: upgrade",
        "sec-websocket-version: 13",
        "sec-websocket-key: eA==",
    )
    found = {
        "CONNECT": http1(authority, method="CONNECT", host=authority, body=inside),
        "CONNECT to a path": http1("/admin", method="CONNECT", host=authority, body=inside),
        "CONNECT, a body": http1(
            authority, "content-length: 9", method="CONNECT", host=authority, body=inside
        ),
        "a web socket to /admin": http1("/admin", *asking, body=inside),
        "a web socket to /x": http1("/x", *asking, body=inside),
        "h2c": http1(
            "/x", "upgrade: h2c", "connection: upgrade, http2-settings", "http2-settings: AA", body=inside
        ),
        "TLS": http1("/x", "upgrade: TLS/1.0", "connection: upgrade", body=inside),
    }
    tries = [Attack(52, name, data, patience=1.0) for name, data in found.items()]
    name = authority.encode()
    lines = [(b":method", b"CONNECT"), (b":authority", name)]
    for protocol in (b"websocket", b"connect-udp", b"connect-ip"):
        more = [(b":protocol", protocol), (b":scheme", b"http"), (b":path", b"/admin")]
        tries.append(Attack(52, f"CONNECT for {protocol.decode()} (HTTP/2)", [*lines, *more]))
    return [*tries, Attack(52, "CONNECT (HTTP/2)", connect_http2(name, inside))]


def connect_http2(authority: bytes, inside: bytes) -> Sender:
    """A tunnel over HTTP/2 with a request in it."""
    head = b"\x42\x07CONNECT\x41" + bytes([len(authority)]) + authority

    def send(where: Where, tls: ssl.SSLContext | None) -> int:
        with connected(where, tls) as link, suppress(OSError, ValueError):
            link.settimeout(1.0)
            link.sendall(PREFACE + frame(1, 4, 1, head) + frame(0, 0, 1, inside))
            while True:
                receive(link)
        return 0

    return send


def spelled(lines: Sequence[str]) -> bytes:
    return "\r\n".join(["GET /x HTTP/1.1", *lines, "Connection: close", "", ""]).encode("latin-1")


NAMES = (
    *("signed-by-a-workload", "name-in-dns", "name-in-mail", "two-names", "no-names", *TRICKS),
    *("wrong-usage", "subject-only"),
)
MORE: tuple[Attack, ...] = (
    *(each for row in TOKENS for each in bearing(row)),
    *(Attack(27, name, http1("/mesh/x"), caller=name) for name in NAMES),
    *(Attack(27, f"{name}, by a suffix", http1("/suffix/x"), caller=name) for name in NAMES),
    *pages(),
    *preflights(),
    *garbage(),
    *RESETS,
    *(Attack(41, how, http1("/x", f"{HEADER}: {how}")) for how in HOW),
    *limited(),
    *in_cookies(),
    *(Attack(45, path, http1(path)) for path in PATHS),
    *(Attack(46, repr(lines), spelled(lines)) for lines in HOSTS),
    *headers(47, *map(tuple, ROLES)),
)
TRIES = (*ATTACKS, *MORE)
