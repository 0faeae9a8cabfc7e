"""Ways around the keys of rate-limit, tried against the real Envoy in both modes.

Callers, hosts, paths and sessions that have used up their limit try to look like somebody else. The truth is
what the upstream received: a request was let through if the upstream got one that, read on what it received,
belongs to whoever has no hit left. Rows are those of the list of vulnerability classes; `pytest -s` shows
them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import h2.config
import h2.connection
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority, Pair, plain_client
from e2e.limiting import Issuer, believed, limiting, slow
from e2e.raw import RawUpstream, Seen, connected, raw_upstream, send_bytes, send_http2, status_of
from e2e.stage import Stage, report
from e2e.test_bypass import (
    FORGED,
    HOSTS,
    HTTP2,
    PATHS,
    ROLES,
    SMUGGLING,
    hostname,
    pseudo,
    read_leniently,
    request_bytes,
)
from meshext.envoy.downstream_tls import DownstreamTls
from meshext.envoy.upstreams import parse_upstream
from meshext.plan import Mode

pytestmark = pytest.mark.envoy

MODES: tuple[Mode, ...] = ("authz", "proc")
PATIENCE = 2.0  # seconds to wait where there may be no answer
PLENTY, ONE = slow(1_000_000), slow(1)
USED_UP = "banned"  # the caller, by header, cookie and query, who has no hit left
RAPID = 3  # hits of the caller who resets every stream


def by(name: str, source: str, value: str = USED_UP) -> dict[str, Any]:
    """A rule with plenty for everybody but one."""
    override = {"callers": {source: [value]}, "limits": [ONE]}
    return {"name": name, "by": [source], "limits": [PLENTY], "overrides": [override]}


RULES = [
    {"name": "admin", "match": {"paths": ["/admin*"]}, "limits": [ONE]},
    by("host", "host", "secret.test"),
    by("role", "header:x-role"),
    by("session", "cookie:sid"),
    by("tenant", "query:tenant"),
    {"name": "address", "match": {"paths": ["/addressed"]}, "by": ["client_address"], "limits": [ONE]},
    {"name": "direct", "match": {"paths": ["/direct"]}, "by": ["peer_address"], "limits": [ONE]},
    {"name": "peer", "match": {"paths": ["/peered"]}, "by": ["peer"], "limits": [ONE]},
    {"name": "rapid", "match": {"paths": ["/rapid"]}, "by": ["header:x-user"], "limits": [slow(RAPID)]},
    {
        "name": "costly",
        "match": {"paths": ["/costly"]},
        "hits": {"header": "x-hits"},
        "limits": [ONE],
    },
]

FIRST = {
    "admin": request_bytes("/admin"),
    "host": request_bytes("/x", host="secret.test"),
    "role": request_bytes("/x", "x-role: banned"),
    "session": request_bytes("/x", "cookie: sid=banned"),
    "tenant": request_bytes("/x?tenant=banned"),
    "address": request_bytes("/addressed"),
    "direct": request_bytes("/direct"),
    "peer": request_bytes("/peered"),
    "costly": request_bytes("/costly", "x-hits: 1"),
}
"""One request each that uses a limit up."""


def belongs_to(seen: Seen) -> list[str]:
    """The rules whose limit is used up for this request, read on what the upstream received."""
    found = []
    for path in (seen.path, read_leniently(seen.path)):
        found += ["admin"] if path.startswith("/admin") else []
        found += [rule for rule in ("addressed", "direct", "peered", "costly") if path == f"/{rule}"]
    found += ["host"] if any(hostname(value) == "secret.test" for value in seen.values("host")) else []
    found += ["role"] if USED_UP.encode() in seen.values("x-role") else []
    pieces = [piece for line in seen.values("cookie") for piece in line.split(b";")]
    pairs = [piece.partition(b"=") for piece in pieces]
    values = [value.strip(b' \t"') for name, _, value in pairs if name.strip() == b"sid"]
    found += ["session"] if USED_UP.encode() in values else []
    query = parse_qsl(seen.target.partition("?")[2], keep_blank_values=True)
    return found + (["tenant"] if ("tenant", USED_UP) in query else [])


@dataclass(frozen=True, slots=True)
class Ground:
    """The policy behind Envoy with every limit used up, and the upstream that keeps what got through."""

    mode: Mode
    stage: Stage
    upstream: RawUpstream

    def attempt(self, row: str, what: str, data: bytes, *, patience: float | None = None) -> int:
        """Send it, print a line of the table; nothing that was used up may reach the upstream."""
        before = len(self.upstream.seen)
        got = send_bytes(self.stage.port, data, patience=patience)
        status = status_of(got)
        self.judge(row, what, status, self.upstream.seen[before:])
        assert status < 500 or status == 501, got  # an encoding of bodies that Envoy does not know
        assert b"injected" not in got.partition(b"\r\n\r\n")[0].lower()
        return status

    def judge(self, row: str, what: str, status: int, seen: list[Seen]) -> None:
        """One line of the table."""
        reached = " and ".join(each.head.split(b" HTTP/")[0].decode("latin-1") for each in seen) or "-"
        through = [rule for each in seen for rule in belongs_to(each)]
        verdict = "LET THROUGH" if through else "held"
        report(f"{self.mode:6}{row:10}{verdict:12}{what[:56]:58}{status:4}  {reached[:50]}")
        assert through == [], [each.head for each in seen]


@contextmanager
def used_up(mode: Mode) -> Iterator[Ground]:
    with raw_upstream() as upstream:
        behind = parse_upstream(f"raw=127.0.0.1:{upstream.port}")
        with limiting({"rules": RULES}, mode=mode, upstreams=(behind,)) as stage:
            for name, data in FIRST.items():
                first, second = (status_of(send_bytes(stage.port, data)) for _ in range(2))
                assert (name, first, second) == (name, 200, 429)
            upstream.seen.clear()
            yield Ground(mode, stage, upstream)
            assert status_of(send_bytes(stage.port, request_bytes("/x", "x-role: user"))) == 200
        for late in upstream.seen:
            assert belongs_to(late) == []
    amiss = ("refused a message", "failed inside", "failed (raised)", "failed (nonsense)", "gRPC error")
    assert [line for line in stage.lines if any(words in line for words in amiss)] == []


@pytest.fixture(scope="module", params=MODES)
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    with used_up(request.param) as ready:
        yield ready


def test_paths(ground: Ground) -> None:
    """Dots, slashes, encodings, fragments, an authority in the path, no slash at all."""
    for path in PATHS:
        ground.attempt("1-7,36", repr(path), request_bytes(path))
    for path in (
        "/admin?x",
        "/admin#x",
        "/admin/?",
        "/./addressed",
        "//addressed",
        "/x/../costly",
        "/%64irect",
    ):
        ground.attempt("1-6", repr(path), request_bytes(path))


def test_what_looks_like_a_query(ground: Ground) -> None:
    for target in (
        "/x?tenant=a&tenant=banned",
        "/x?tenant=banned&tenant=a",
        "/x?%74enant=banned",
        "/x?tenant=%62anned",
        "/x?tenant=banned#x",
        "/x?a#?tenant=banned",
        "/x?&&tenant=banned",
        "/x??tenant=banned",
        "/x%3Ftenant=banned?tenant=banned",
        "//x?tenant=banned",
        "http://a.test/x?tenant=banned",
        "http://a.test?tenant=banned",
        "/x?tenant=banned&" + "a=b&" * 5000,
        "/x?" + "&".join(f"tenant={number}" for number in range(60)) + "&tenant=banned",
    ):
        ground.attempt("3-6", target, request_bytes(target))


def test_hosts(ground: Ground) -> None:
    for lines in HOSTS:
        data = "\r\n".join(["GET /x HTTP/1.1", *lines, "Connection: close", "", ""]).encode("latin-1")
        ground.attempt("8", repr(lines), data)
    for target in (
        "http://secret.test/",
        "http://SECRET.test:80/x",
        "http://a.test@secret.test/",
        "//secret.test/",
    ):
        ground.attempt("3,8", target, request_bytes(target))


def test_lines_of_a_header(ground: Ground) -> None:
    """Repeated, in other letters, with NUL, bytes that are no UTF-8, underscores, space, folded."""
    for lines in ROLES:
        ground.attempt("12-16", repr(lines), request_bytes("/x", *lines))


COOKIES = [
    ["cookie: a=b; sid=banned"],
    ["cookie: sid=x; sid=banned"],
    ["cookie: sid=banned; sid=x"],
    ["cookie: sid=x", "cookie: sid=banned"],
    ["Cookie: sid=banned"],
    ['cookie: sid="banned"'],
    ["cookie: sid = banned"],
    ["cookie:sid=banned;"],
    ["cookie: ;;sid=banned"],
    ["cookie: sid\t=\tbanned\t"],
    ["cookie: sid=banned\x00"],
    ["cookie: \xff=a; sid=banned"],
    ["cookie: " + "a=b; " * 5000 + "sid=banned"],
    ["cookie: " + "; ".join(f"sid={number}" for number in range(50)) + "; sid=banned"],
    ["cookie: sid=banned", "connection: cookie"],
]


def test_cookies(ground: Ground) -> None:
    for lines in COOKIES:
        ground.attempt("12,34", repr(lines), request_bytes("/x", *lines))


def test_forged_addresses_and_names(ground: Ground) -> None:
    """What a client writes about where it comes from and who it is names nobody."""
    more = {
        "x-forwarded-for": "203.0.113.7",
        "X-Forwarded-For": "10.1.2.3",
        "x-real-ip": "203.0.113.7",
        "true-client-ip": "203.0.113.7",
        "x-envoy-downstream-service-cluster": "x",
        "x-envoy-internal": "true",
        "x-envoy-ip-tags": "x",
        "x-forwarded-client-cert": "URI=spiffe://td/other",
    }
    for name, value in [*FORGED.items(), *more.items()]:
        for path in ("/addressed", "/direct", "/peered", "/admin"):
            status = ground.attempt("23,24,35", f"{path} {name}", request_bytes(path, f"{name}: {value}"))
            assert status in (429, 400)


def test_what_it_costs_can_not_be_talked_down(ground: Ground) -> None:
    for lines in (
        ["x-hits: 0"],
        ["x-hits: -1"],
        ["x-hits: 0x0"],
        ["x-hits: 0", "x-hits: 0"],
        ["x-hits: "],
        [],
        ["x-hits: 1e0"],
        ["x-hits: \xff"],
        ["x-hits: 00000000000000000000"],
        ["x-hits: 0, 0"],
    ):
        ground.attempt("12,15", repr(lines), request_bytes("/costly", *lines))


def test_smuggling(ground: Ground) -> None:
    """A second request inside a first one is counted, or never sent."""
    for name, data in SMUGGLING.items():
        endless = name in ("huge chunk", "connect")
        ground.attempt("32", name, data, patience=PATIENCE if endless else None)


def test_large_heads_and_bodies(ground: Ground) -> None:
    for size in (8_000, 40_000, 60_000, 61_440, 200_000):
        ground.attempt("34", f"value {size}", request_bytes("/x", f"x-large: {'a' * size}", "x-role: banned"))
        ground.attempt("34", f"key {size}", request_bytes("/x", f"x-role: {'a' * size}", "x-role: banned"))
    many = [f"x-{number}: a" for number in range(98)]
    ground.attempt("34", "98 headers", request_bytes("/x", *many, "x-role: banned"))
    for size in (1, 1_048_577, 3_000_000):
        lines = ("x-role: banned", f"content-length: {size}")
        ground.attempt("39", f"body {size}", request_bytes("/x", *lines, method="POST", body=b"x" * size))
    ground.attempt(
        "39", "expect", request_bytes("/x", "x-role: banned", "expect: 100-continue", method="POST")
    )


def test_what_ends_up_in_our_own_headers(ground: Ground) -> None:
    """Nothing of a key or a cost does."""
    for value in (
        "a\r\ninjected: 1",
        "a\ninjected: 1",
        "a\rinjected: 1",
        "a%0d%0ainjected: 1",
        "a\\r\\ninjected: 1",
    ):
        for name in ("x-role", "cookie", "x-hits", "x-user"):
            for path in ("/x", "/rapid", "/costly"):
                ground.attempt("40", f"{path} {name}: {value!r}", request_bytes(path, f"{name}: {value}"))


MORE_HTTP2 = {
    "cookie in crumbs": [*pseudo(), (b"cookie", b"a=b"), (b"cookie", b"sid=banned")],
    "sid in crumbs": [*pseudo(), (b"cookie", b"sid=x"), (b"cookie", b"sid=banned")],
    "tenant": pseudo(b"/x?tenant=banned"),
    "te": [*pseudo(b"/admin"), (b"te", b"deflate")],
    "binary": [*pseudo(b"/admin"), (b"x-odd-bin", b"!!!")],
}


def test_http2(ground: Ground) -> None:
    rows = HTTP2 | MORE_HTTP2

    def attempt(name: str) -> int:
        return send_http2(ground.stage.port, [*rows[name], (b"x-row", name.encode())]).status

    with ThreadPoolExecutor(16) as pool:
        statuses = dict(zip(rows, pool.map(attempt, rows), strict=True))
    for name, status in statuses.items():
        seen = [each for each in ground.upstream.seen if each.values("x-row") == [name.encode()]]
        ground.judge("14,15,34", name, status, seen)
        assert status < 500
    assert {statuses[name] for name in ("admin", "role", "role twice", "sid in crumbs", "tenant")} == {429}


def test_streams_reset_at_once_count(ground: Ground) -> None:
    """Rapid reset: no more than the limit reach the upstream, however many are begun."""
    before = len(ground.upstream.seen)
    config = h2.config.H2Configuration(header_encoding=None)
    connection = h2.connection.H2Connection(config)
    with connected(ground.stage.port, None) as link:
        connection.initiate_connection()
        for stream in range(1, 121, 2):
            connection.send_headers(stream, [*pseudo(b"/rapid"), (b"x-user", b"fast")], end_stream=True)
            if stream > 20:
                connection.reset_stream(stream)
        with suppress(OSError):
            link.sendall(connection.data_to_send())
            link.settimeout(PATIENCE)
            while link.recv(65_536):
                pass
    seen = [each for each in ground.upstream.seen[before:] if each.path == "/rapid"]
    ground.judge("33", f"60 streams, 50 of them reset, {len(seen)} reached", 0, seen)
    assert len(seen) <= RAPID


def test_grpc_clients_get_an_answer_they_understand(ground: Ground) -> None:
    lines = [*pseudo(b"/admin", method=b"POST"), (b"content-type", b"application/grpc"), (b"te", b"trailers")]
    answer = send_http2(ground.stage.port, lines, b"\0\0\0\0\4body")
    ground.judge("39", f"gRPC, grpc-status {answer.header(b'grpc-status')!r}", answer.status, [])
    assert (answer.status, answer.header(b"grpc-status")) == (200, b"14")


FRIEND = "spiffe://cluster.local/ns/batch/sa/a"
URI, DNS = x509.UniformResourceIdentifier, x509.DNSName
NAMES: dict[str, list[x509.GeneralName]] = {
    "another name": [URI("spiffe://cluster.local/ns/web/sa/a")],
    "longer trust domain": [URI("spiffe://cluster.local.evil/ns/batch/sa/a")],
    "prefix of another": [URI("spiffe://evil.cluster.local/ns/batch/sa/a")],
    "not at the beginning": [URI(f"x{FRIEND}")],
    "inside a path": [URI(f"spiffe://evil/{FRIEND}")],
    "two names": [URI(FRIEND), URI("spiffe://cluster.local/ns/web/sa/b")],
    "comma": [URI(f"{FRIEND},x")],
    "DNS": [DNS("cluster.local")],
    "no name": [],
    "capitals": [URI(FRIEND.upper())],
}


@pytest.mark.parametrize("mode", MODES)
def test_names_in_certificates(mode: Mode, tmp_path: Path) -> None:
    """Only the very name has the friend's limits; forged headers and odd certificates share or have one."""
    authority, foreign = Authority(tmp_path, "ca"), Authority(tmp_path, "foreign")
    server = authority.issue("server", [DNS("localhost")], usage=ExtendedKeyUsageOID.SERVER_AUTH)
    override = {"callers": {"peer": ["spiffe://cluster.local/ns/batch/*"]}, "unlimited": True}
    rule = {"name": "peer", "by": ["peer"], "limits": [ONE], "overrides": [override]}
    tls = DownstreamTls(certificate=server.certificate, key=server.key, client_ca=authority.file)
    clients: dict[str, Pair] = {
        name: authority.issue(f"c{number}", sans) for number, (name, sans) in enumerate(NAMES.items())
    }
    clients["subject"] = authority.issue("subject", [], subject=FRIEND)
    forged = [("x-forwarded-client-cert", f"By=spiffe://a/b;URI={FRIEND}"), ("x-meshext-uri-san", FRIEND)]
    with limiting({"rules": [rule]}, mode=mode, tls=tls) as stage:
        friend = authority.issue("friend", [URI(FRIEND)]).to_client()
        assert [stage.send(tls=friend).status for _ in range(3)] == [200, 200, 200]
        contexts = {name: pair.to_client() for name, pair in clients.items()} | {"none": plain_client()}
        for name, context in contexts.items():
            got = [stage.send(tls=context, headers=forged).status for _ in range(3)]
            report(f"{mode:6}{'24-26':10}{'held':12}{name:58}{got}")
            assert got.count(200) <= 1
            assert set(got) <= {200, 429}
        for name, pair in {
            "another CA": foreign.issue("other-ca", [URI(FRIEND)]),
            "for servers": authority.issue("usage", [URI(FRIEND)], usage=ExtendedKeyUsageOID.SERVER_AUTH),
        }.items():
            with pytest.raises(OSError, match=r"(?i)alert|closed|reset|EOF|broken pipe"):
                stage.send(tls=pair.to_client())
            report(f"{mode:6}{'25':10}{'held':12}{name:58}refused by TLS")


@pytest.mark.parametrize("mode", MODES)
def test_tokens_of_another_provider(mode: Mode) -> None:
    """An unlimited subject of ours is nobody as the subject of another provider."""
    ours, theirs = Issuer("ours"), Issuer("theirs")
    override = {"callers": {"claim:who": ["root"]}, "unlimited": True}
    rule = {"name": "user", "by": ["claim:who"], "limits": [ONE], "overrides": [override]}
    config = {"rules": [rule], "jwt_provider": "ours"}
    with limiting(config, mode=mode, jwt=believed(ours, theirs)) as stage:
        tokens = {
            "ours": (ours.token(who="root"), [200, 200]),
            "theirs": (theirs.token(who="root"), [200, 429]),
            "theirs, told as ours": (theirs.token(who="root", iss="https://ours.test"), [401, 401]),
            "a list": (ours.token(who=["root", "x"]), [200, 429]),
            "unsigned": (ours.token(who="root").rpartition(".")[0] + ".", [401, 401]),
        }
        for name, (token, wanted) in tokens.items():
            lines = [("authorization", f"Bearer {token}")]
            got = [stage.send(headers=lines).status for _ in range(2)]
            report(f"{mode:6}{'19':10}{'held':12}{name:58}{got}")
            assert got == wanted
