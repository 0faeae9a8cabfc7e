"""`authorization-policy` in the real Envoy, tried by every class of bypass: a table, row by row.

A request was let through if the upstream received one that the policy, read on what it received, denies. Run
with `-s` to see the table. Every kind of listener that we generate is tried in both modes.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.attacks import (
    ATTACKS,
    CONTINUATIONS,
    ENDLESS,
    RESETS,
    TITLES,
    Attack,
    describe_row,
    flood_socket,
    http1,
    http2,
)
from e2e.bench.usage import family, resident
from e2e.certificates import Authority, plain_client
from e2e.inside import embedded
from e2e.raw import RawUpstream, Seen, raw_upstream, send_bytes, send_http2, status_of
from e2e.stage import Stage, report, wait_for
from e2e.ways.callers import DNS, IDENTITIES, issue_all
from e2e.ways.policy import CONFIG, let_through
from e2e.ways.tokens import Issuer, unsigned
from meshext.envoy.downstream_tls import DownstreamTls
from meshext.envoy.jwt import Jwt, TokenIssuer
from meshext.envoy.upstreams import parse_upstream
from meshext.plan import Mode
from meshext.sandbox import Setup

pytestmark = [pytest.mark.envoy, pytest.mark.slow]


@dataclass(slots=True)
class Ground:
    """The policy behind one kind of listener, in one mode."""

    mode: Mode
    listener: str
    stage: Stage
    upstream: RawUpstream
    tokens: dict[str, str]
    contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)

    def tls(self, caller: str) -> ssl.SSLContext | None:
        return self.contexts[caller] if self.contexts else None

    def principal(self, caller: str) -> str | None:
        """What the caller proves; on a plain connection nothing."""
        return IDENTITIES.get(caller) if self.contexts else None

    def attempt(self, attack: Attack) -> int:
        """The status, 0 where the connection ended without one."""
        port, tls = self.stage.port, self.tls(attack.caller)
        try:
            if callable(attack.data):
                return attack.data(port, tls)
            if isinstance(attack.data, list):
                return send_http2(port, attack.data, b"", tls).status
            return status_of(send_bytes(port, self.fill_in(attack.data), tls, patience=attack.patience))
        except OSError:  # refused by TLS
            return 0

    def fill_in(self, data: bytes) -> bytes:
        for name, token in self.tokens.items():
            data = data.replace(f"{{{name}}}".encode(), token.encode())
        return data

    def settle(self) -> list[Seen]:
        """All that has reached the upstream, once a request sent now has."""
        before = len(self.upstream.seen)
        assert status_of(send_bytes(self.stage.port, http1("/settled"), self.tls(""))) == 200
        assert wait_for(lambda: any(each.path == "/settled" for each in self.upstream.seen[before:]))
        return self.upstream.seen


@pytest.fixture(scope="module", params=["authz", "proc"])
def mode(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module", params=["plain", "tls"])
def ground(request: pytest.FixtureRequest, mode: Mode) -> Iterator[Ground]:
    a, b = Issuer(), Issuer()
    jwt = Jwt(
        (
            TokenIssuer(name="a", issuer="https://a.test", audiences=(), jwks=a.jwks()),
            TokenIssuer(name="payload", issuer="https://b.test", audiences=(), jwks=b.jwks()),
        ),
        required=False,
    )
    tokens = {
        "genuine": b.token("https://b.test", "ann"),
        "of-a": a.token("https://a.test", "ann"),
        "a-signs-for-b": a.token("https://b.test", "ann"),
        "unknown": a.token("https://c.test", "ann"),
        "none": unsigned("https://b.test", "ann"),
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="mx-")))
        trusted, foreign = Authority(folder, "trusted"), Authority(folder, "foreign")
        upstream = stack.enter_context(raw_upstream())
        server = trusted.issue("server", [DNS("localhost")], usage=ExtendedKeyUsageOID.SERVER_AUTH)
        encrypted = request.param == "tls"
        setup = Setup(
            specs=("authorization-policy",),
            configs=(str(write_config(folder)),),
            mode=mode,
            upstreams=(parse_upstream(f"raw=127.0.0.1:{upstream.port}"),),
            jwt=jwt,
            tls=DownstreamTls(certificate=server.certificate, key=server.key, client_ca=trusted.file)
            if encrypted
            else None,
        )
        stage = Stage(embedded(setup) if mode == "wasm" else setup)
        stack.callback(stage.close)
        contexts: dict[str, ssl.SSLContext] = {}
        if encrypted:
            pairs = issue_all(trusted, foreign)
            contexts = {"": plain_client(), **{name: pair.to_client() for name, pair in pairs.items()}}
        yield Ground(mode, request.param, stage, upstream, tokens, contexts)
        assert [line for line in stage.lines if "failed (raised)" in line or "failed inside" in line] == []


def write_config(folder: Path) -> Path:
    file = folder / "config.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    return file


@pytest.mark.parametrize("row", TITLES)
def test_row(ground: Ground, row: int) -> None:
    tries = [each for each in ATTACKS if each.row == row]
    start = len(ground.settle())
    reached: list[tuple[Seen, str]] = []
    statuses: list[int] = []
    strangers = [each for each in tries if not each.caller]
    with ThreadPoolExecutor(8) as pool:
        statuses += pool.map(ground.attempt, strangers)
    reached += [(seen, "") for seen in ground.settle()[start:]]
    for attack in (each for each in tries if each.caller):
        start = len(ground.upstream.seen)
        statuses.append(ground.attempt(attack))
        reached += [(seen, attack.caller) for seen in ground.settle()[start:]]
    reached = [each for each in reached if each[0].path != "/settled"]
    through = [seen.head for seen, caller in reached if let_through(seen, ground.principal(caller))]
    assert len(statuses) == len(tries)
    where = f"{ground.mode:6}{ground.listener:6}"
    report(describe_row(where, row, statuses, reached=len(reached), through=len(through)))
    assert through == []


def test_what_is_allowed_passes(ground: Ground) -> None:
    """The other half: none of the rows says anything if nothing passes."""

    def status(data: bytes, caller: str = "") -> int:
        return ground.attempt(Attack(0, "", data, caller=caller))

    assert status(http1("/x")) == status(http1("/administrator")) == 200
    assert status(http1("/x", "x-role: user,banned")) == 200
    assert status(http1("/token/x", "authorization: Bearer {genuine}")) == 200
    assert ground.attempt(Attack(0, "", http2(b"/x"))) == 200
    for denied in (
        http1("/admin"),
        http1("/x", "x-role: banned"),
        http1("/x", host="secret.test"),
        http1("/mesh/x"),
    ):
        assert status(denied) == 403
    if ground.contexts:
        assert status(http1("/mesh/x"), "web") == status(http1("/suffix/x"), "web") == 200
        assert status(http1("/dotted/x"), "dotted") == 200
        assert status(http1("/mesh/x"), "kept-inside") == 200
        assert status(http1("/mesh/x"), "other") == 403


def test_the_service_survives_floods_of_its_own_port(ground: Ground) -> None:
    path = service_socket(ground)
    for data in (RESETS, CONTINUATIONS):
        flood_socket(path, data)
    assert ground.attempt(Attack(33, "", http1("/x"))) == 200
    assert ground.attempt(Attack(33, "", http1("/admin"))) == 403


@pytest.mark.parametrize("kind", ENDLESS)
def test_the_service_answers_while_its_own_port_is_flooded(ground: Ground, kind: str) -> None:
    """Four connections send frames that ask for answers or hold nothing, and read none."""
    path = service_socket(ground)
    first, again = ENDLESS[kind]
    before, most = used_memory(), 0
    answers: list[tuple[int, ...]] = []
    with ThreadPoolExecutor(4) as pool:
        floods = [pool.submit(flood_socket, path, first, again, seconds=FLOOD) for _ in range(4)]
        while not all(each.done() for each in floods):
            most = max(most, used_memory())
            answers.append(tuple(ground.attempt(Attack(33, "", http1(each))) for each in ("/x", "/admin")))
    sent = sum(each.result() for each in floods)
    report(
        f"{ground.mode} {ground.listener} {kind}: {sent >> 20} MiB sent, {len(answers)} pairs of answers, "
        f"{(most - before) >> 20} MiB more memory at most"
    )
    assert set(answers) == {(200, 403)}
    assert most - before < ROOM_FOR_FLOODS


def service_socket(ground: Ground) -> str:
    """Where the service listens for Envoy."""
    assert ground.stage.sandbox.envoy is not None
    return str(ground.stage.sandbox.envoy.admin.socket_path.with_name("service.sock"))


FLOOD = 1.0  # seconds
ROOM_FOR_FLOODS = 100 << 20  # bytes; a flood is more than that, or would be if it was read


def used_memory() -> int:
    """Bytes of all processes below this one: Envoy, the service and its workers."""
    return sum(resident(pid) for pid in family(os.getpid())[1:])


def test_no_request_writes_a_line_of_the_log(ground: Ground) -> None:
    """AUDIT logs every path; one that holds an escaped line end is one line."""
    ground.attempt(Attack(40, "", http1("/x%0aaudit%20forged")))
    assert ground.stage.logged("audit ns[shop]-policy[log]-rule[0]: GET /x%0aaudit%20forged")
    assert not [line for line in ground.stage.lines if line.startswith("audit")]
