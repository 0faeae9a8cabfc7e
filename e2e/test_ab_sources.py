"""Where `ab-routing` finds a user's key, in the real Envoy, in both modes: the upstream is that of the split.

Each request carries all that is asked for later than the key it is about, with another user's name in it.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority, plain_client
from e2e.limiting import Issuer
from e2e.stage import received
from meshext.config import Document, parse_config
from meshext.plan import Mode
from meshext.sandbox import Options, Proxy, Setup, build_setup
from meshext_filters.ab_routing import ABRouting
from meshext_filters.ab_routing.assignment import Assignment

pytestmark = pytest.mark.envoy

VARIANTS = ("v1", "v2", "v3")
CONFIG = json.dumps(
    {
        "user": ["query:uid", "claim:account.id", "claim:sub", "peer", "path:2"],
        "jwt_provider": "ours",
        "experiments": [
            {"name": "checkout", "header": "x-version", "variants": {"v1": 34, "v2": 33, "v3": 33}}
        ],
    }
)
ROUTES = json.dumps(
    [
        {"name": each, "match": {"prefix": "/", "headers": {"x-version": each}}, "upstream": each}
        for each in VARIANTS
    ]
)
ASSIGNMENT = Assignment(parse_config(ABRouting.Config, Document(CONFIG)))


def split(key: str) -> str:
    """The variant that the table has for that key."""
    (choice,) = ASSIGNMENT.choose(key, {}, {})
    return choice.variant


NAMES = [f"user-{number}" for number in range(6)]
DECOY = next(name for name in map(str, range(100)) if split(name) == "v1")
PEERS = [f"spiffe://td.test/ns/shop/sa/{name}" for name in [*NAMES, DECOY]]


@dataclass(frozen=True, slots=True)
class Ground:
    """A proxy with TLS and two issuers before it, and an upstream for each variant."""

    proxy: Proxy
    peers: dict[str, ssl.SSLContext]
    ours: Issuer
    theirs: Issuer

    def went_to(self, target: str, *, token: str = "", peer: str = "") -> str:
        """The upstream, which agrees with the header that it got."""
        headers = {"x-forwarded-client-cert": f"URI={PEERS[-1]}"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        tls = self.peers[peer] if peer else plain_client()
        answer = self.proxy.request("GET", target, headers=headers, tls=tls)
        assert answer.status == 200, answer
        name: str = self.proxy.upstream(answer)["upstream"]
        assert received(answer, "x-version") == [name]
        return name

    def by_query(self, name: str) -> str:
        query = f"a=1&uid={quote(name, safe='')}&uid={DECOY}"
        return self.went_to(f"/users/{DECOY}?{query}", token=self.ours.token(sub=DECOY), peer=PEERS[-1])

    def by_claims(self, claims: dict[str, object]) -> str:
        return self.went_to(f"/users/{DECOY}", token=self.ours.token(**claims), peer=PEERS[-1])


@pytest.fixture(scope="module", params=["authz", "proc"])
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    yield from start(request.param, tmp_path_factory.mktemp("ca"))


def start(
    mode: Mode, folder: Path, prepare: Callable[[Setup], Setup] = lambda setup: setup
) -> Iterator[Ground]:
    """The ground in a mode, while somebody stands on it."""
    authority = Authority(folder, "ca")
    server = authority.issue("server", [x509.DNSName("localhost")], usage=ExtendedKeyUsageOID.SERVER_AUTH)
    ours, theirs = Issuer("ours"), Issuer("theirs")
    options = Options(
        specs=("ab-routing",),
        config=(CONFIG,),
        mode=mode,
        upstream=tuple(f"{each}=echo" for each in VARIANTS),
        routes=ROUTES,
        jwt=json.dumps({"providers": {each.name: each.provider() for each in (ours, theirs)}}),
        tls_cert=str(server.certificate),
        tls_key=str(server.key),
        client_ca=str(authority.file),
    )
    peers = {uri: issue(authority, uri) for uri in PEERS}
    proxy = Proxy.start(prepare(build_setup(options)))
    yield Ground(proxy, peers, ours, theirs)
    proxy.stop()


def issue(authority: Authority, uri: str) -> ssl.SSLContext:
    """A client of that name."""
    return authority.issue("client", [x509.UniformResourceIdentifier(uri)]).to_client()


@pytest.mark.parametrize("source", ["query", "claim", "nested claim", "peer", "path"])
def test_the_upstream_is_the_one_of_the_split(ground: Ground, source: str) -> None:
    keys = PEERS[:-1] if source == "peer" else NAMES
    senders: dict[str, Callable[[str], str]] = {
        "query": ground.by_query,
        "claim": lambda name: ground.by_claims({"sub": name}),
        "nested claim": lambda name: ground.by_claims({"sub": DECOY, "account": {"id": name}}),
        "peer": lambda name: ground.went_to(f"/users/{DECOY}", peer=name),
        "path": lambda name: ground.went_to(f"/users/{name}/orders"),
    }
    send = senders[source]
    wanted = [split(key) for key in keys]
    assert set(wanted) == set(VARIANTS)
    assert [send(key) for key in keys] == wanted


@pytest.mark.parametrize("name", ["a b", "a&b=c", "ü", "a/b", "x" * 2000, "a%2Fb"])
def test_a_key_in_the_query_is_what_it_stands_for(ground: Ground, name: str) -> None:
    assert ground.by_query(name) == split(name)


@pytest.mark.parametrize(
    ("claims", "key"),
    [
        ({"account": {"id": 1_234_567_890_123}}, "1234567890123"),
        ({"sub": "ü b"}, "ü b"),
        ({"account.id": "dotted", "account": {"id": DECOY}}, "dotted"),
        ({"account": {"id": ["a"]}, "sub": "b"}, "b"),
        ({"account": {"id": True}}, PEERS[-1]),
        ({}, PEERS[-1]),
    ],
)
def test_a_claim_is_text_or_a_whole_number(ground: Ground, claims: dict[str, object], key: str) -> None:
    assert ground.by_claims(claims) == split(key)


def test_what_proves_nothing_is_no_key(ground: Ground) -> None:
    """Another issuer's claims, and a name in a header beside a connection without a certificate."""
    for name in NAMES:
        theirs = ground.theirs.token(sub=DECOY, account={"id": DECOY})
        assert ground.went_to(f"/users/{name}", token=theirs) == split(name)


@pytest.mark.parametrize("target", ["/users/../users/{}", "//users//{}", "/users/x/..%2f{}", "/./users/{}?a"])
def test_the_path_is_the_one_that_the_upstream_gets(ground: Ground, target: str) -> None:
    for name in NAMES:
        assert ground.went_to(target.format(name)) == split(name)
