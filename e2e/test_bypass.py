"""Ways around a policy, tried against the real Envoy in both modes.

The truth is what the upstream received: a request was let through if the upstream got one that the policy,
applied to that very request, denies. The policy fails open, so an error in the service would show too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest

from e2e.filters.policy import MAX_BODY, denies_host, denies_path, denies_role
from e2e.raw import Http2Answer, RawUpstream, Seen, raw_upstream, send_bytes, send_http2, status_of
from e2e.stage import Stage, report, staged
from meshext.envoy.upstreams import parse_upstream
from meshext.plan import Mode

pytestmark = pytest.mark.envoy

MODES: tuple[Mode, ...] = ("authz", "proc")
INCOMPLETE = 2.0  # seconds to wait where there may be no answer, since the request never ends


@dataclass(frozen=True, slots=True)
class Ground:
    """A policy behind Envoy, and the upstream that keeps what got through."""

    mode: Mode
    stage: Stage
    upstream: RawUpstream

    def try_bytes(self, data: bytes, *, patience: float | None = None) -> tuple[int, list[Seen], bytes]:
        """Status, what reached the upstream, and all that came back."""
        before = len(self.upstream.seen)
        got = send_bytes(self.stage.port, data, patience=patience)
        return status_of(got), self.upstream.seen[before:], got

    def try_http2(
        self, lines: list[tuple[bytes, bytes]], body: bytes = b""
    ) -> tuple[Http2Answer, list[Seen]]:
        before = len(self.upstream.seen)
        answer = send_http2(self.stage.port, lines, body)
        return answer, self.upstream.seen[before:]

    def tell(self, group: str, row: str, status: int, seen: list[Seen]) -> None:
        reached = " and ".join(each.head.split(b" HTTP/")[0].decode("latin-1") for each in seen) or "-"
        report(f"{self.mode:6}{group:9}{row[:60]:62}{status:4}  {reached[:70]}")


def start(mode: Mode, name: str) -> Iterator[Ground]:
    with raw_upstream() as upstream:
        behind = parse_upstream(f"raw=127.0.0.1:{upstream.port}")
        with staged(f"policy.py:{name}", mode=mode, upstreams=(behind,)) as stage:
            yield Ground(mode, stage, upstream)
        check_passed(upstream.seen)  # what came late is in here too
    amiss = ("refused a message", "failed inside", "failed (raised)", "failed (nonsense)", "gRPC error")
    assert [line for line in stage.lines if any(words in line for words in amiss)] == []


@pytest.fixture(scope="module", params=MODES)
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    yield from start(request.param, "Policy")


def check_passed(seen: list[Seen]) -> None:
    """Nothing that reached the upstream is denied by the policy, not even read with leniency.

    And what the filter decided on is, byte for byte, what the upstream got.
    """
    for each in seen:
        assert not denies_path(each.path), each.head
        assert not denies_path(read_leniently(each.path)), each.head
        assert not any(denies_host(hostname(value)) for value in each.values("host")), each.head
        assert not denies_role([value.decode("latin-1") for value in each.values("x-role")]), each.head
        told = json.loads(each.values("x-seen")[0])
        assert bytes.fromhex(told["path"]) == each.path.encode("latin-1")
        assert [bytes.fromhex(told["host"])] == each.values("host")


def read_leniently(path: str) -> str:
    """What a forgiving server makes of a path: decoded once, with dots and slashes resolved.

    Path parameters are not dropped: only some servers do so, and Envoy leaves them where they are.
    """
    parts: list[str] = []
    for part in unquote(path).replace("\\", "/").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def hostname(value: bytes) -> str:
    """A Host as a forgiving server compares it."""
    text = value.decode("latin-1").rpartition("@")[2].strip().lower()
    return text.partition(":")[0].partition("/")[0].rstrip(".")


def request_bytes(
    target: str, *lines: str, method: str = "GET", host: str = "a.test", body: bytes = b""
) -> bytes:
    head = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *lines]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


PATHS = """
/admin /admin/ /admin/x /admin? /admin?a=b /admin/?a /admin;x /admin;x=y/z /admin%3b /admin%3Fa /admin#
/admin#x /admin%23 /admin%00 /admin%20 /admin. /admin.. /admin/. /admin/.. /admin/../admin /admin/x/..
/admin%2f /admin%2fx /admin%5c /administrator
//admin ///admin //admin// /./admin /././admin /x/../admin /x/y/../../admin /../admin /../../admin
/x//../admin
/x/..//admin /x/./../admin /.//admin /x/%2e%2e/admin /x/%2E%2E/admin /x/.%2e/admin /x/%2e./admin /%2e/admin
/%2e%2e/admin /%2fadmin /%2Fadmin /%2f%2fadmin /x%2f..%2fadmin /x/..%2fadmin /x%2f../admin /%2e%2e%2fadmin
/x/..;/admin /x/..;a=b/admin /;/admin /;x/admin /.;/admin /x;/../admin /%3b/admin /x/..%3b/admin
/%61dmin /%61%64%6d%69%6e /a%64min /admi%6e /%2561dmin /%25%36%31dmin /%2%66admin /%u0061dmin /%c0%afadmin
/%c0%aeadmin /%ef%bc%8fadmin /%09admin /%20admin /%00admin /%0aadmin /%0d%0aadmin /\\admin \\admin /\\\\admin
/x\\..\\admin /x/..\\admin /%5cadmin /%5Cadmin /x%5c..%5cadmin /x/..%5cadmin /%2e%5cadmin
admin ?/admin #/admin * @/admin :/admin .admin ./admin ../admin
/x?/../admin /x?/admin /x#/../admin /?/../admin /?%2fadmin /x%3f/../admin /x%23/../admin
http://a.test/admin http://a.test//admin http://a.test/x/../admin http://a.test/%61dmin HTTP://a.test/admin
http://a.test http://a.test?/admin http://a.test#/admin http:///admin http:/admin http:admin ftp://a.test/admin
javascript:/admin https://a.test/admin //a.test/admin //evil.test/admin //a.test//admin ///a.test/admin
http://a.test\\admin http://a.test/\\admin http://user@a.test/admin
/ADMIN /Admin /aDmIn /admin\xff /\xffadmin /\xc0\xafadmin /x/\xff/../admin /admin\x7f
""".split()


@pytest.mark.parametrize("path", PATHS)
def test_path(ground: Ground, path: str) -> None:
    status, seen, _ = ground.try_bytes(request_bytes(path))
    ground.tell("path", repr(path), status, seen)
    check_passed(seen)
    assert status in (200, 400, 403, 404, 301)


HOSTS = [
    ["Host: secret.test"],
    ["Host: SECRET.test"],
    ["Host: Secret.Test:80"],
    ["Host: secret.test:8080"],
    ["Host: secret.test:"],
    ["Host: secret.test."],
    ["Host: secret.test..", "X-A: b"],
    ["Host: SECRET.TEST.:443"],
    ["Host: a.test@secret.test"],
    ["Host: secret.test@a.test"],
    ["Host:   secret.test  "],
    ["Host:\tsecret.test"],
    ["Host: secret.test/"],
    ["Host: secret.test#a"],
    ["Host: secret.test?a"],
    ["Host: secret.test,a.test"],
    ["Host: secret.test a.test"],
    ["Host: secret%2etest"],
    ["Host: secret.test\x00"],
    ["Host: secret.test\xff"],
    ["Host: [secret.test]"],
    ["Host: secret.test:80:80"],
    ["Host: a.test", "Host: secret.test"],
    ["Host: secret.test", "Host: a.test"],
    ["Host: a.test", "host: a.test"],
    ["Host: "],
    [],
    ["Host: a.test", "X-Forwarded-Host: secret.test"],
    ["Host : secret.test"],
    [" Host: secret.test"],
    ["Host: a.test", ":authority: secret.test"],
    ["Host: a.test\r\n secret.test"],
]


@pytest.mark.parametrize("lines", HOSTS, ids=repr)
def test_host(ground: Ground, lines: list[str]) -> None:
    data = "\r\n".join(["GET /x HTTP/1.1", *lines, "Connection: close", "", ""]).encode("latin-1")
    status, seen, _ = ground.try_bytes(data)
    ground.tell("host", repr(lines), status, seen)
    check_passed(seen)


@pytest.mark.parametrize(
    "target",
    [
        "http://secret.test/",
        "http://SECRET.test:80/x",
        "http://secret.test./",
        "http://secret.test",
        "http://a.test@secret.test/",
        "http://secret.test@a.test/",
        "https://secret.test/",
        "http://secret.test\\@a.test/",
        "http://a.test#@secret.test/",
        "//secret.test/",
    ],
)
def test_host_in_the_target(ground: Ground, target: str) -> None:
    status, seen, _ = ground.try_bytes(request_bytes(target))
    ground.tell("target", target, status, seen)
    check_passed(seen)


@pytest.mark.parametrize("version", ["1.0", "0.9", "2.0", "1.1 ", "1.2"])
def test_odd_version(ground: Ground, version: str) -> None:
    status, seen, _ = ground.try_bytes(f"GET /admin HTTP/{version}\r\nHost: a.test\r\n\r\n".encode())
    ground.tell("version", version, status, seen)
    check_passed(seen)


@pytest.mark.parametrize(
    "method", ["POST", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PRI", "admin", "get", "G%45T"]
)
def test_method(ground: Ground, method: str) -> None:
    for target in ("/admin", "*", "a.test:80", "/x/../admin"):
        endless = method == "CONNECT" and target == "a.test:80"
        data = request_bytes(target, method=method)
        status, seen, _ = ground.try_bytes(data, patience=INCOMPLETE if endless else None)
        ground.tell("method", f"{method} {target}", status, seen)
        check_passed(seen)


ROLES = [
    ["x-role: banned"],
    ["X-Role: banned"],
    ["X-ROLE:banned"],
    ["x-role: user, banned"],
    ["x-role: user,banned,user"],
    ["x-role: user", "x-role: banned"],
    ["x-role: banned", "x-role: user"],
    ["x-role: user", "X-rOlE: banned"],
    ["x-role: \t banned \t "],
    ["x-role:\tbanned"],
    ["x-role : banned"],
    [" x-role: banned"],
    ["x_role: banned"],
    ["X_Role: banned"],
    ["x-role: user,\r\n banned"],
    ["x-role:\r\n banned"],
    ["x-role: banned\x00"],
    ["x-role: \x00banned"],
    ["x-role: user\x00, banned"],
    ["x-role: \xffuser, banned"],
    ["x-role: user,banned,\xff"],
    ["x-role: \xff", "x-role: banned"],
    ["x-role: user\r, banned"],
    ["x-role: user\nx-role: banned"],
    ["x-role\x00: banned"],
    ["x-role\xff: banned"],
    ["x-role: ", "x-role: banned"],
    [*(f"x-role: {number}" for number in range(60)), "x-role: banned"],
    ["x-role: " + "user," * 8000 + "banned"],
    ["x-role: banned", "connection: x-role"],
    ["connection: close, x-role", "x-role: banned"],
]


@pytest.mark.parametrize("lines", ROLES, ids=lambda lines: repr(lines)[:60])
def test_header_rule(ground: Ground, lines: list[str]) -> None:
    status, seen, _ = ground.try_bytes(request_bytes("/x", *lines))
    ground.tell("header", repr(lines), status, seen)
    check_passed(seen)


def seen_by_filter(seen: list[Seen]) -> dict[str, Any]:
    """What the filter noted on the request."""
    assert len(seen) == 1
    found: dict[str, Any] = json.loads(seen[0].values("x-seen")[0])
    return found


FORGED = {
    "x-forwarded-client-cert": 'By=spiffe://a/b;Hash=00;URI=spiffe://td/admin;Subject="CN=admin"',
    "x-forwarded-for": "10.0.0.1, 203.0.113.9",
    "x-envoy-external-address": "10.0.0.1",
    "x-envoy-original-path": "/x",
    "x-envoy-original-host": "secret.test",
    "x-envoy-decorator-operation": "x",
    "x-envoy-auth-partial-body": "true",
    "x-envoy-peer-metadata": "AAAA",
    "x-meshext-uri-san": "spiffe://td/admin",
    "x-meshext-direct-address": "10.0.0.1:1",
    "x-meshext-client-address": "10.0.0.1:1",
    "x-meshext-tls-version": "TLSv1.3",
    "x-meshext-route": "other",
    "x-meshext-attribute-source.port": "1",
    "grpc-timeout": "1n",
    "grpc-trace-bin": "!!!",
    "x-odd-bin": "not base64 !",
    "te": "trailers, deflate",
    "x-seen": '{"principal": "spiffe://td/admin"}',
    "x-rewrite-url": "/admin",
    "forwarded": "for=10.0.0.1;host=secret.test",
    "upgrade": "h2c",
    "http2-settings": "AAMAAABkAAQAAP__",
    "expect": "100-continue",
    "authorization": "\xff\xfe",
    "cookie": "a=\xff; b",
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_header_changes_nothing(ground: Ground, name: str) -> None:
    """Neither who the client is, nor where it comes from, nor what is denied."""
    line = f"{name}: {FORGED[name]}"
    status, seen, _ = ground.try_bytes(request_bytes("/x", line))
    ground.tell("forged", line, status, seen)
    assert status == 200
    told = seen_by_filter(seen)
    assert (told["principal"], told["address"], told["client"], told["tls"]) == (
        None,
        "127.0.0.1",
        "127.0.0.1",
        False,
    )
    if name == "x-forwarded-client-cert":
        assert seen[0].values(name) == []
    for denied in (
        request_bytes("/admin", line),
        request_bytes("/x", line, "x-role: banned"),
        request_bytes("/x", line, "content-length: 6", method="POST", body=b"attack"),
    ):
        status, seen, _ = ground.try_bytes(denied)
        assert (status, seen) == (403, [])


@pytest.mark.parametrize(
    "given",
    ["<script>alert(1)</script>", "a\tb", "x" * 500, "\x1b[31m", "id\xff", "../../x", "a b", "%0d%0aX: y"],
)
def test_request_id_of_a_client_is_not_taken(ground: Ground, given: str) -> None:
    status, seen, got = ground.try_bytes(request_bytes("/x", f"x-request-id: {given}"))
    ground.tell("id", repr(given), status, seen)
    assert given.encode("latin-1") not in got
    if seen:
        assert re.fullmatch(r"[0-9a-f-]{36}", seen_by_filter(seen)["id"])


@pytest.mark.parametrize("value", ["\xff", "caf\xe9", "\xc3\x28", "a\xa0b", "\xf0\x9f\x98\x80", "\x80" * 300])
def test_bytes_that_are_no_utf8_pass_untouched_and_can_be_read(ground: Ground, value: str) -> None:
    status, seen, _ = ground.try_bytes(request_bytes("/x", f"x-odd: {value}", f"x-odd: {value}"))
    ground.tell("bytes", repr(value), status, seen)
    assert status == 200
    raw = value.encode("latin-1")
    assert seen[0].values("x-odd") == [raw, raw]
    assert seen_by_filter(seen)["odd"] == [raw.hex(), raw.hex()]


@pytest.mark.parametrize(
    "name", ["x-odd: a\x00b", "x-odd: \x00", "x-odd\x00: a", "x-\x01: a", "x-odd: a\x01b"]
)
def test_control_characters_never_reach_the_upstream(ground: Ground, name: str) -> None:
    status, seen, _ = ground.try_bytes(request_bytes("/x", name))
    ground.tell("control", repr(name), status, seen)
    assert all(b"\x00" not in each.head for each in seen)
    if seen:
        assert seen_by_filter(seen)["odd"] in ([], [name.partition(": ")[2].encode("latin-1").hex()])


@pytest.mark.parametrize("size", [8_000, 16_384, 40_000, 60_000, 61_439, 61_440, 61_441, 70_000, 200_000])
def test_large_headers(ground: Ground, size: int) -> None:
    """60 KiB is Envoy's limit for all header lines; what passes it is decided on as a whole."""
    for label, data in {
        "value": request_bytes("/x", f"x-large: {'a' * size}", "x-role: banned"),
        "query": request_bytes(f"/admin?{'a' * size}"),
        "path": request_bytes(f"/{'a/' * (size // 8)}{'../' * (size // 8)}admin"),
        "harmless": request_bytes("/x", f"x-large: {'a' * size}"),
    }.items():
        status, seen, _ = ground.try_bytes(data)
        ground.tell("size", f"{label} {size}", status, seen)
        check_passed(seen)
        assert status in ((200,) if label == "harmless" and size < 60_500 else (403, 431, 400, 414, 0, 200))


@pytest.mark.parametrize("count", [50, 90, 95, 99, 100, 101, 150, 1000])
def test_many_headers(ground: Ground, count: int) -> None:
    status, seen, _ = ground.try_bytes(
        request_bytes("/x", *(f"x-{number}: a" for number in range(count)), "x-role: banned")
    )
    ground.tell("count", str(count), status, seen)
    check_passed(seen)
    assert status in (403, 431)


def chunked(body: bytes, size: int = 8192) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    "extra", [-1, 0, 1, 2, 5000, 900_000, 1_048_576 - MAX_BODY, 1_048_577 - MAX_BODY, 3_000_000]
)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_body_at_the_limit(ground: Ground, framing: str, extra: int) -> None:
    """Up to `max_body` it is seen whole; one byte past it is refused with 413, and so is all beyond."""
    check_body(ground, framing, MAX_BODY + extra, MAX_BODY)


def check_body(ground: Ground, framing: str, size: int, limit: int) -> None:
    for body in (b"x" * (size - 6) + b"attack", b"x" * size):
        if framing == "length":
            data = request_bytes("/x", f"content-length: {size}", method="POST", body=body)
        else:
            data = request_bytes("/x", "transfer-encoding: chunked", method="POST", body=chunked(body))
        status, seen, _ = ground.try_bytes(data)
        ground.tell("body", f"{framing} {size} {body[-6:].decode()}", status, seen)
        assert all(b"attack" not in each.body for each in seen)
        if size <= limit:
            assert status == (403 if body.endswith(b"attack") else 200)
        else:
            assert seen == []
            assert status in (413, 0)  # 0: the connection was reset while we were still sending
        for each in seen:
            assert each.body == body
            assert each.values("x-body-seen") == [str(size).encode()]


SMUGGLED = b"GET /admin HTTP/1.1\r\nHost: a.test\r\n\r\n"


CHUNKED = "transfer-encoding: chunked"
END = b"0\r\n\r\n"


def post(*lines: str, body: bytes) -> bytes:
    return request_bytes("/x", *lines, method="POST", body=body)


SMUGGLING = {
    "length and chunked": post(f"content-length: {5 + len(SMUGGLED)}", CHUNKED, body=END + SMUGGLED),
    "chunked and length": post(CHUNKED, "content-length: 4", body=b"28\r\n" + SMUGGLED + b"\r\n" + END),
    "two lengths": post("content-length: 0", f"content-length: {len(SMUGGLED)}", body=SMUGGLED),
    "list of lengths": post("content-length: 0, 38", body=SMUGGLED),
    "signed length": post("content-length: +0", body=SMUGGLED),
    "hex length": post("content-length: 0x26", body=SMUGGLED),
    "odd encoding": post("transfer-encoding: xchunked", body=END + SMUGGLED),
    "space before colon": post("transfer-encoding : chunked", "content-length: 0", body=END + SMUGGLED),
    "folded encoding": post("transfer-encoding:\r\n chunked", body=END + SMUGGLED),
    "tab encoding": post("transfer-encoding:\tchunked", "content-length: 5", body=END + SMUGGLED),
    "twice encoded": post(CHUNKED, "transfer-encoding: identity", body=END + SMUGGLED),
    "chunk extension": post(CHUNKED, body=b"3;a=\r\n\r\nabc\r\n" + END + SMUGGLED),
    "huge chunk": post(CHUNKED, body=b"ffffffffffffffff\r\n" + SMUGGLED),
    "negative chunk": post(CHUNKED, body=b"-1\r\n" + SMUGGLED),
    "bare line feeds": b"GET /x HTTP/1.1\nHost: a.test\n\n" + SMUGGLED,
    "pipelined": b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n" + SMUGGLED + request_bytes("/y"),
    "body of a GET": request_bytes("/x", f"content-length: {len(SMUGGLED)}", body=SMUGGLED),
    "upgrade": request_bytes("/x", "upgrade: websocket", "connection: upgrade", body=SMUGGLED),
    "connect": request_bytes("a.test:80", method="CONNECT", body=SMUGGLED),
}


@pytest.mark.parametrize("name", SMUGGLING)
def test_smuggling(ground: Ground, name: str) -> None:
    endless = name in ("huge chunk", "connect")
    status, seen, _ = ground.try_bytes(SMUGGLING[name], patience=INCOMPLETE if endless else None)
    ground.tell("smuggle", name, status, seen)
    check_passed(seen)


def pseudo(
    path: bytes = b"/x", authority: bytes = b"a.test", method: bytes = b"GET"
) -> list[tuple[bytes, bytes]]:
    return [(b":method", method), (b":scheme", b"http"), (b":authority", authority), (b":path", path)]


HTTP2 = {
    "admin": pseudo(b"/admin"),
    "no slash": pseudo(b"admin"),
    "empty path": pseudo(b""),
    "star": pseudo(b"*"),
    "absolute path": pseudo(b"http://a.test/admin"),
    "double slash": pseudo(b"//admin"),
    "authority in path": pseudo(b"//a.test/admin"),
    "dots": pseudo(b"/x/../admin"),
    "encoded": pseudo(b"/%61dmin"),
    "backslash": pseudo(b"/x\\..\\admin"),
    "fragment": pseudo(b"/admin#x"),
    "fragment before": pseudo(b"/x#/../admin"),
    "space in path": pseudo(b"/admin x"),
    "NUL in path": pseudo(b"/admin\x00"),
    "line in path": pseudo(b"/x\r\nx-role: banned"),
    "0xff in path": pseudo(b"/\xff/../admin"),
    "0xff at the end": pseudo(b"/admin\xff"),
    "0xff elsewhere": pseudo(b"/x\xff\xc3\xa9"),
    "two paths": [*pseudo(), (b":path", b"/admin")],
    "path after headers": [*pseudo()[:3], (b"x-a", b"b"), (b":path", b"/admin")],
    "no path": pseudo()[:3],
    "secret host": pseudo(authority=b"secret.test"),
    "secret host, odd": pseudo(authority=b"SECRET.test.:443"),
    "user and secret host": pseudo(authority=b"a@secret.test"),
    "host header": [*pseudo(), (b"host", b"secret.test")],
    "host header alone": [each for each in pseudo() if each[0] != b":authority"]
    + [(b"host", b"secret.test")],
    "two hosts": [*pseudo(), (b"host", b"a.test"), (b"host", b"secret.test")],
    "two authorities": [*pseudo(), (b":authority", b"secret.test")],
    "empty authority": [*pseudo(authority=b""), (b"host", b"secret.test")],
    "0xff in authority": pseudo(authority=b"secret.test\xff"),
    "odd scheme": [(b":method", b"GET"), (b":scheme", b"javascript"), *pseudo(b"/admin")[2:]],
    "scheme with 0xff": [(b":method", b"GET"), (b":scheme", b"\xff"), *pseudo(b"/admin")[2:]],
    "no scheme": [(b":method", b"GET"), *pseudo(b"/admin")[2:]],
    "method with 0xff": pseudo(b"/admin", method=b"G\xff"),
    "method with space": pseudo(b"/admin", method=b"GET /x"),
    "unknown pseudo": [*pseudo(b"/admin"), (b":admin", b"1")],
    "connect": [(b":method", b"CONNECT"), (b":authority", b"secret.test:80")],
    "connect with path": pseudo(b"/admin", method=b"CONNECT"),
    "extended connect": [*pseudo(b"/admin", method=b"CONNECT"), (b":protocol", b"websocket")],
    "role": [*pseudo(), (b"x-role", b"banned")],
    "role in capitals": [*pseudo(), (b"X-Role", b"banned")],
    "role twice": [*pseudo(), (b"x-role", b"user"), (b"x-role", b"banned")],
    "role with NUL": [*pseudo(), (b"x-role", b"banned\x00")],
    "role with lines": [*pseudo(), (b"x-role", b"user\r\nx-role: banned")],
    "role with 0xff": [*pseudo(), (b"x-role", b"\xff, banned")],
    "role with underscore": [*pseudo(), (b"x_role", b"banned")],
    "empty name": [*pseudo(), (b"", b"banned")],
    "name with space": [*pseudo(), (b"x-role ", b"banned")],
    "connection header": [*pseudo(b"/admin"), (b"connection", b"x")],
    "transfer encoding": [*pseudo(b"/admin"), (b"transfer-encoding", b"chunked")],
}


def test_http2(ground: Ground) -> None:
    """All at once, since Envoy takes a second to close a connection it has nothing to say on."""

    def attempt(name: str) -> int:
        lines = [*HTTP2[name], (b"x-row", name.encode())]
        return send_http2(ground.stage.port, lines).status

    with ThreadPoolExecutor(16) as pool:
        statuses = dict(zip(HTTP2, pool.map(attempt, HTTP2), strict=True))
    for name, status in statuses.items():
        seen = [each for each in ground.upstream.seen if each.values("x-row") == [name.encode()]]
        ground.tell("http2", name, status, seen)
        check_passed(seen)
    assert statuses["admin"] == statuses["secret host, odd"] == statuses["role twice"] == 403


def test_http2_plain_request_passes(ground: Ground) -> None:
    answer, seen = ground.try_http2([*pseudo(b"/x", method=b"POST"), (b"x-odd", b"\xff")], b"body")
    assert answer.status == 200
    assert seen[0].body == b"body"
    assert seen_by_filter(seen)["odd"] == ["ff"]
    assert seen_by_filter(seen)["address"] == "127.0.0.1"


@pytest.mark.parametrize("body", [b"", b"\0\0\0\0\4body", b"\0\0\0\0\6attack"])
def test_grpc_client_gets_an_answer_it_understands(ground: Ground, body: bytes) -> None:
    """Envoy turns a denial into trailers-only: HTTP 200 and grpc-status 7."""
    path = b"/x" if b"attack" in body else b"/admin"
    lines = [*pseudo(path, method=b"POST"), (b"content-type", b"application/grpc"), (b"te", b"trailers")]
    answer, seen = ground.try_http2(lines, body)
    ground.tell("grpc", repr(body), answer.status, seen)
    assert seen == []
    assert (answer.status, answer.header(b"grpc-status")) == (200, b"7")


@pytest.mark.parametrize("mode", MODES)
def test_default_limit(mode: Mode) -> None:
    """`max_body` as large as Envoy's own buffer: both ways, at the limit and past it."""
    size = 1_048_576
    for ground in start(mode, "LargePolicy" if mode == "proc" else "LargeRequestPolicy"):
        for extra in (-1, 0, 1, 5000, 1_000_000):
            check_body(ground, "length", size + extra, size)
            check_body(ground, "chunked", size + extra, size)
        if mode == "proc":
            for extra in (-1, 0, 1, 5000, 1_000_000):
                check_response(ground, size + extra, size)


def test_response_body_at_the_limit() -> None:
    for ground in start("proc", "PolicyBothWays"):
        for extra in (-1, 0, 1, 2, 5000, 900_000, 1_048_576 - MAX_BODY, 1_048_577 - MAX_BODY, 3_000_000):
            check_response(ground, MAX_BODY + extra, MAX_BODY)


def check_response(ground: Ground, size: int, limit: int) -> None:
    status, seen, got = ground.try_bytes(request_bytes(f"/bytes/{size}"))
    ground.tell("response", str(size), status, seen)
    assert b"leak" not in got
    assert status == (403 if size <= limit else 500)
