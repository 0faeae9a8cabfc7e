"""What a request can try against a policy, by class: the rows of a table, each with its tries.

A try is bytes for HTTP/1, header lines for HTTP/2, or a function. `Caller` is who sends it: a certificate, or
none. The numbers are those of known vulnerabilities, named in `TITLES`.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from e2e.raw import Where, connected, receive, send_bytes, send_http2

TITLES = {
    1: "dot segments (CVE-2019-9901)",
    2: "encoded and doubled slashes (CVE-2021-29492, CVE-2021-31920)",
    3: "a path that looks like an authority (CVE-2026-26205)",
    4: "where the query begins (CVE-2026-32811)",
    5: "fragments (CVE-2021-39156)",
    6: "an exact path with a query (CVE-2020-8595)",
    7: "path parameters (istio#27409)",
    8: "hosts: case, port, dot (CVE-2021-39155)",
    9: "characters in path templates (CVE-2025-46821)",
    10: "dots and metacharacters in names (CVE-2026-39350)",
    11: "long paths against patterns (CVE-2019-14993, CVE-2022-39278)",
    12: "a header twice (CVE-2020-25017, CVE-2021-32777)",
    13: "each value alone (CVE-2026-26308)",
    14: "NUL in headers and names (CVE-2019-9900, CVE-2025-66220)",
    15: "bytes that are no UTF-8 (CVE-2023-27488)",
    16: "spelling of header names (CVE-2024-10006)",
    17: "every kind of listener (CVE-2024-10005)",
    18: "deny and default deny together (CVE-2021-36213)",
    19: "a token of another issuer (CVE-2023-3518, CVE-2021-21378)",
    23: "headers that claim where one comes from (CVE-2023-27487, CVE-2024-45806)",
    24: "a forged x-forwarded-client-cert",
    25: "certificates that prove nothing (CVE-2022-21654, CVE-2022-21656)",
    26: "principals that look alike (CVE-2020-16844)",
    32: "smuggling (CVE-2019-18801, CVE-2025-64763)",
    33: "floods of resets and CONTINUATION (CVE-2023-44487, CVE-2024-30255)",
    34: "too many and too large headers (CVE-2026-47774, CVE-2023-33953)",
    35: "bad base64 in -bin headers (CVE-2023-32732)",
    36: "a path without a slash (CVE-2026-33186)",
    39: "bodies past the buffer (CVE-2021-32781, CVE-2023-27492)",
    40: "line ends in what we write (CVE-2023-27493)",
}

Lines = list[tuple[bytes, bytes]]
Sender = Callable[[Where, ssl.SSLContext | None], int]
"""Sends something to there, with TLS or without, and gives the status, 0 for none."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One try: `data` are bytes, HTTP/2 lines, or a function of where to connect and TLS.

    `caller` names a certificate. `patience` is in seconds, where there may be no answer.
    """

    row: int
    label: str
    data: bytes | Lines | Sender
    caller: str = ""
    patience: float | None = None


REFUSING = (0, 400, 401, 403, 404, 426, 431, 500, 501, 503)
"""Statuses of what did not pass; 0 is a connection that was closed without one."""


def describe_row(where: str, row: int, statuses: Sequence[int], *, reached: int, through: int) -> str:
    """A row's line in the report: what was tried at `where`, and what became of it."""
    refused = sum(status in REFUSING for status in statuses)
    return (
        f"{where}{row:3}  {TITLES[row][:58]:60}{len(statuses):3} tries{refused:4} refused"
        f"{reached:4} reached the upstream, allowed{through:3} let through"
    )


def http1(target: str, *lines: str, method: str = "GET", host: str = "a.test", body: bytes = b"") -> bytes:
    head = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *lines]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def http2(
    path: bytes, *lines: tuple[bytes, bytes], authority: bytes = b"a.test", method: bytes = b"GET"
) -> Lines:
    pseudo = [(b":method", method), (b":scheme", b"http"), (b":authority", authority), (b":path", path)]
    return [*pseudo, *lines]


def paths(row: int, words: str) -> list[Attack]:
    """Paths, over HTTP/1 and as they are over HTTP/2."""
    found: list[Attack] = []
    for path in words.split():
        found.append(Attack(row, path, http1(path)))
        found.append(Attack(row, f"{path} (HTTP/2)", http2(path.encode("latin-1"))))
    return found


def headers(row: int, *tries: tuple[str, ...], target: str = "/x") -> list[Attack]:
    return [Attack(row, repr(lines)[:60], http1(target, *lines)) for lines in tries]


TUNNEL = "x-tunnel"
"""The header by which a request that is sent through a tunnel says to whom that leads."""


def carried(authority: str) -> bytes:
    """A request for the inside of a tunnel, which is denied outside of one."""
    return http1("/admin", f"{TUNNEL}: {authority}")


SMUGGLED = b"GET /admin HTTP/1.1\r\nHost: a.test\r\n\r\n"
END = b"0\r\n\r\n"
SMUGGLING: dict[str, bytes] = {
    "length and chunked": http1(
        "/x",
        f"content-length: {5 + len(SMUGGLED)}",
        "transfer-encoding: chunked",
        method="POST",
        body=END + SMUGGLED,
    ),
    "space before colon": http1(
        "/x", "transfer-encoding : chunked", "content-length: 0", method="POST", body=END + SMUGGLED
    ),
    "two lengths": http1("/x", "content-length: 0", "content-length: 38", method="POST", body=SMUGGLED),
    "odd encoding": http1("/x", "transfer-encoding: xchunked", method="POST", body=END + SMUGGLED),
    "bare line feeds": b"GET /x HTTP/1.1\nHost: a.test\n\n" + SMUGGLED,
    "pipelined": b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n" + SMUGGLED + http1("/y"),
    "body of a GET": http1("/x", "content-length: 38", body=SMUGGLED),
    "chunk extension": http1(
        "/x", "transfer-encoding: chunked", method="POST", body=b"3;a=\r\n\r\nabc\r\n" + END + SMUGGLED
    ),
    "upgrade": http1("/x", "upgrade: websocket", "connection: upgrade", body=SMUGGLED),
}


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame of HTTP/2 (RFC 9113 section 4.1)."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"")
ADMIN = b"\x82\x86\x41\x06a.test\x04\x06/admin"  # GET, http, a.test, /admin without Huffman (RFC 7541)


def flood(where: Where, tls: ssl.SSLContext | None, data: bytes) -> int:
    """Send and read until the other side has had enough; 0, as there is no status."""
    with connected(where, tls) as link:
        link.settimeout(2.0)
        with suppress(OSError, ValueError):
            link.sendall(PREFACE + data)
            while True:
                receive(link)
    return 0


def flood_socket(path: str, data: bytes, again: bytes = b"", *, seconds: float = 0.0) -> int:
    """The same on a Unix socket; the bytes that were sent.

    `again` is sent over and over for so long, on a new connection where the other side ends one, and nothing
    is read: answers are the other side's to keep.
    """
    sent, end = 0, time.monotonic() + seconds
    while True:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(1.0)
            link.connect(path)
            with suppress(OSError, ValueError):
                link.sendall(PREFACE + data)
                while time.monotonic() < end:
                    link.sendall(again)
                    sent += len(again)
                while not again:
                    receive(link)
        if time.monotonic() >= end:
            return sent


RESETS = b"".join(
    frame(1, 5, stream, ADMIN) + frame(3, 0, stream, struct.pack(">I", 8)) for stream in range(1, 1001, 2)
)
CONTINUATIONS = frame(1, 0, 1, ADMIN) + frame(9, 0, 1, b"\x40\x01a\x01b" * 100) * 500
CHECK = b"\x83\x86\x41\x06a.test\x04\x2c/envoy.service.auth.v3.Authorization/Check"
ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "SETTINGS": (b"", frame(4, 0, 0, struct.pack(">HI", 4, 65_535)) * 1_000),
    "PING": (b"", frame(6, 0, 0, b"12345678") * 1_000),
    "empty DATA": (frame(1, 4, 1, CHECK), frame(0, 0, 1, b"") * 1_000),
    "empty HEADERS": (b"", b"".join(frame(1, 5, stream, b"") for stream in range(1, 2_000, 2))),
}
"""Frames that cost the sender nothing: what comes first, then what comes again and again (CVE-2019-9512)."""

COOKIES = frame(1, 5, 1, ADMIN + b"\x40\x06cookie\x04a=bc" + b"\xbe" * 12_000)


def large_body(target: str) -> Sender:
    """Five megabytes, chunked, to a path."""

    def send(where: Where, tls: ssl.SSLContext | None) -> int:
        piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        data = http1(target, "transfer-encoding: chunked", method="POST", body=piece * 80 + END)
        got = send_bytes(where, data, tls)
        return int(got[9:12]) if got.startswith(b"HTTP/1.1 ") else 0

    return send


def grown_body(where: Where, tls: ssl.SSLContext | None) -> int:
    """A body longer than it said, over HTTP/2."""
    lines = http2(b"/x", (b"content-length", b"3"), method=b"POST")
    return send_http2(where, lines, SMUGGLED, tls).status


ATTACKS: tuple[Attack, ...] = (
    *paths(
        1, "/info/../admin /a/./admin /./admin /x/%2e%2e/admin /x/.%2E/admin /../admin /admin/x/.. /%61dmin"
    ),
    *paths(
        2,
        "//admin /admin//x /%2fadmin /x/..%2fadmin /%5cadmin /x\\..\\admin "
        "/\\admin /admin%2Fx /x%5C..%5Cadmin ///admin",
    ),
    *paths(3, "//admin/x //a.test/admin //evil.test//admin http://a.test/admin http://a.test//admin"),
    *paths(4, "/admin?x /x?/../admin /admin%3Fx /x%3F/../admin /?/../admin /admin?/../x"),
    *paths(5, "/admin#x /admin# /x#/../admin /admin%23x /#/admin"),
    *paths(6, "/exact?x /exact? /exact# /exact?/../x /exact%3f"),
    *paths(
        7, "/v1/..;/admin /v1/..;x=y/admin /admin;x=y /;/admin /.;/admin /v1/..;a/../admin /v1/%2e%2e;/admin"
    ),
    *[
        Attack(8, host, http1("/x", host=host))
        for host in (
            "Secret.Test",
            "secret.test:443",
            "SECRET.TEST:80",
            "secret.test.",
            "secret.test.:8",
            "secret%2etest",
        )
    ],
    *[
        Attack(8, f"{host.decode()} (HTTP/2)", http2(b"/x", authority=host))
        for host in (b"Secret.Test", b"secret.test.", b"a@secret.test")
    ],
    *[
        Attack(8, target, http1(target))
        for target in ("http://SECRET.test/x", "http://secret.test./x", "http://a.test@secret.test/")
    ],
    *paths(
        9,
        "/tpl/a*b/x /tpl/*/x /tpl/a;b/x /tpl/a%2Fb/x /tpl/~/x /tpl/a!$&'()+,=:@b/x "
        "/tpl/a|b/x /tpl//x /tpl/%7Bx%7D/x",
    ),
    Attack(10, "name with another letter for the dot", http1("/dotted/x"), caller="dotless"),
    Attack(10, "name that goes on", http1("/dotted/x"), caller="dotted-longer"),
    *[
        Attack(11, f"{size} characters", http1("/tpl/" + "a" * size + "/y"))
        for size in (1_000, 20_000, 50_000)
    ],
    *[Attack(11, f"{size} segments", http1("/long" + "/a" * size + "/y")) for size in (1_000, 20_000)],
    *headers(
        12,
        ("x-role: user", "x-role: banned"),
        ("x-role: banned", "x-role: user"),
        ("x-role:", "X-Role: banned"),
        (*[f"x-role: r{number}" for number in range(60)], "x-role: banned"),
        ("x-role: user", "connection: x-role", "x-role: banned"),
    ),
    Attack(12, "twice (HTTP/2)", http2(b"/x", (b"x-role", b"user"), (b"x-role", b"banned"))),
    *headers(
        13,
        ("x-role: user,banned",),
        ("x-role: banned,user",),
        ("x-role: user", "x-role: banned,x", "x-role: banned"),
    ),
    *headers(
        14, ("x-role: banned\0",), ("x-role: \0banned",), ("x-role\0: banned",), ("x-role: user\0banned",)
    ),
    Attack(14, "NUL in a SAN", http1("/mesh/x"), caller="nul"),
    Attack(14, "NUL (HTTP/2)", http2(b"/x", (b"x-role", b"banned\0"))),
    *headers(
        15, ("x-role: \xff", "x-role: banned"), ("x-odd: \xff\xfe", "x-role: banned"), ("x-role: banned\xff",)
    ),
    *headers(15, ("x-odd: \xc3\x28",), target="/admin"),
    *headers(
        16,
        ("X-ROLE: banned",),
        ("x_role: banned",),
        ("X_Role: banned",),
        ("x-role : banned",),
        (" x-role: banned",),
        ("x-role:\tbanned \t",),
        ("x-role:\r\n banned",),
    ),
    Attack(16, "capitals (HTTP/2)", http2(b"/x", (b"X-Role", b"banned"))),
    *paths(17, "/admin /admin/x /exact /tpl/a/x"),
    *paths(18, "/nothing /admin/nothing /nothing/../nothing"),
    *headers(
        19,
        *[(f"authorization: Bearer {{{name}}}",) for name in ("of-a", "a-signs-for-b", "unknown", "none")],
        target="/token/x",
    ),
    *headers(
        23,
        ("x-forwarded-for: 10.0.0.1",),
        ("x-forwarded-for: 10.0.0.1, 10.0.0.2",),
        ("x-envoy-external-address: 10.0.0.1",),
        ("x-real-ip: 10.0.0.1", "forwarded: for=10.0.0.1"),
        ("x-envoy-internal: true", "x-forwarded-for: 10.0.0.1"),
        ("x-meshext-client-address: 10.0.0.1:1",),
        target="/internal/x",
    ),
    *headers(
        23,
        ("x-envoy-original-path: /x",),
        ("x-envoy-original-host: a.test",),
        ("x-rewrite-url: /x",),
        target="/admin",
    ),
    *headers(
        24,
        ("x-forwarded-client-cert: URI=spiffe://td.test/ns/shop/sa/web",),
        (
            'x-forwarded-client-cert: By=spiffe://td.test/a;Hash=00;URI="spiffe://td.test/ns/shop/sa/web",URI=x',
        ),
        ("x-meshext-uri-san: spiffe://td.test/ns/shop/sa/web",),
        target="/mesh/x",
    ),
    Attack(
        24,
        "forged, beside a certificate",
        http1("/mesh/x", "x-forwarded-client-cert: URI=spiffe://td.test/ns/shop/sa/web"),
        caller="other",
    ),
    *[
        Attack(25, name, http1("/mesh/x"), caller=name)
        for name in (
            "no-names",
            "dns-only",
            "subject-only",
            "two-names",
            "wrong-usage",
            "kept-elsewhere",
            "kept-to-subdomains",
            "kept-out",
            "kept-by-an-unknown-form",
            "expired",
            "foreign",
            "early",
        )
    ],
    *[
        Attack(26, name, http1("/mesh/x"), caller=name)
        for name in ("evil-domain", "prefix-domain", "longer", "capital-domain", "suffix-only", "other")
    ],
    *[Attack(32, name, data, patience=2.0) for name, data in SMUGGLING.items()],
    Attack(32, "CONNECT", http1("a.test:80", method="CONNECT", body=carried("a.test:80")), patience=2.0),
    Attack(33, "500 resets", lambda where, tls: flood(where, tls, RESETS)),
    Attack(33, "500 CONTINUATION frames", lambda where, tls: flood(where, tls, CONTINUATIONS)),
    Attack(34, "12,000 indexed cookies", lambda where, tls: flood(where, tls, COOKIES)),
    Attack(34, "8 KB", http1("/admin", f"x-large: {'a' * 8192}")),
    Attack(34, "60 KB before a role", http1("/x", f"x-large: {'a' * 60_000}", "x-role: banned")),
    Attack(
        34,
        "99 lines before a role",
        http1("/x", *[f"x-{number}: a" for number in range(90)], "x-role: banned"),
    ),
    Attack(34, "te", http1("/admin", "te: trailers, deflate")),
    Attack(34, "scheme", [(b":method", b"GET"), (b":scheme", b"javascript"), *http2(b"/admin")[2:]]),
    *headers(35, ("grpc-trace-bin: !!!",), ("x-odd-bin: not base64 !", "x-role: banned"), target="/x"),
    *headers(35, ("x-odd-bin: %%%",), target="/admin"),
    *[
        Attack(36, path.decode() or "(empty)", http2(path))
        for path in (b"admin", b"", b"*", b"admin/x", b"http://a.test/admin")
    ],
    *[Attack(36, target, http1(target)) for target in ("admin", "*", "@/admin", "?/admin")],
    Attack(39, "5 MB to /admin", large_body("/admin")),
    Attack(39, "5 MB to /x", large_body("/x")),
    Attack(39, "longer than it says (HTTP/2)", grown_body),
    *paths(40, "/admin%0d%0ax-role:%20user /admin/%0aaudit /x%0d%0aHTTP/1.1"),
    Attack(40, "a line in a path (HTTP/2)", http2(b"/x\r\nx-role: banned")),
    Attack(40, "a line in a header (HTTP/2)", http2(b"/x", (b"x-role", b"user\r\nx-role: banned"))),
)
