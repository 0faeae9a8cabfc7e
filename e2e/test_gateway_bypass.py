"""Ways around a policy at a gateway: the table of `attacks`, and those of `test_bypass`, on its listeners.

A request was let through if the upstream received one that the policy, read on what it received, denies. The
policy is AuthorizationPolicy as Envoy's own filters ("native"), or a FilterPolicy with the Python policy in
both modes; there is no sidecar behind. Run with `-s` for the table.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.attacks import ATTACKS, TITLES, Attack, describe_row, http1
from e2e.certificates import Authority, plain_client
from e2e.raw import RawUpstream, Seen, raw_upstream, send_bytes, send_http2, status_of
from e2e.secrets_service import build_secrets, serving_secrets
from e2e.stage import report, wait_for
from e2e.test_authorization_policy import CONFIG, IDENTITIES, WEB, Issuer, issue_all, let_through, unsigned
from e2e.test_bypass import FORGED, HOSTS, PATHS, ROLES, request_bytes
from meshext.envoy.process import EnvoyProcess
from meshext_controlplane.agent.filters import FilterKeeper, WantedFilter
from meshext_controlplane.translate.translator import Translator
from tests.conformance.background import Background
from tests.controlplane.translation.bootstraps import to_bootstrap
from tests.controlplane.translation.meshes import parse_mesh, proxy_of
from tests.ports import free_port

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

MESH = """
apiVersion: meshext.dev/v1
kind: MeshConfig
metadata: {name: mesh}
spec: {trustDomain: td.test, numTrustedProxies: TRUSTED}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: shop}
spec:
  selector: {app: web}
  servers:
    - {port: {number: PLAIN, name: http, protocol: HTTP}, hosts: ["*"]}
    - port: {number: SECURE, name: https, protocol: HTTPS}
      hosts: ["*"]
      tls: {mode: OPTIONAL_MUTUAL, credentialName: front}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all, namespace: shop}
spec: {hosts: ["*"], gateways: [front], http: [{route: [{destination: {host: raw.test}}]}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: raw, namespace: shop}
spec:
  hosts: [raw.test]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: UPSTREAM}}]
---
kind: Workload
name: front
namespace: shop
address: 127.0.0.1
gateway: true
labels: {app: web}
"""


PROVED = {**IDENTITIES, "two-names": WEB}
"""What callers prove. Envoy's own filter asks every name of a certificate; one of the mesh has one alone."""


FILTER = """
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {name: policy, namespace: shop}
spec: {selector: {matchLabels: {app: web}}, direction: gateway, filter: authorization-policy, phase: AUTHZ}
"""


def policies_of(runtime: str) -> list[str]:
    """The policy, as the runtime has it."""
    config = yaml.safe_load(CONFIG)
    if runtime == "native":
        return [json.dumps(each) for each in config["policies"]]
    document = yaml.safe_load(FILTER)
    document["spec"] |= {"mode": runtime, "config": config}
    return [json.dumps(document)]


def tokens_of(a: Issuer, b: Issuer) -> dict[str, str]:
    """Tokens by what is wrong with them."""
    return {
        "genuine": b.token("https://b.test", "ann"),
        "of-a": a.token("https://a.test", "ann"),
        "a-signs-for-b": a.token("https://b.test", "ann"),
        "unknown": a.token("https://c.test", "ann"),
        "none": unsigned("https://b.test", "ann"),
    }


def authentication(a: Issuer, b: Issuer) -> str:
    """The RequestAuthentication that believes both issuers."""
    rules = [
        {"issuer": f"https://{name}.test", "jwks": each.jwks(), "forwardOriginalToken": True}
        for name, each in (("a", a), ("b", b))
    ]
    head = {"apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication"}
    meta = {"name": "tokens", "namespace": "shop"}
    return json.dumps({**head, "metadata": meta, "spec": {"jwtRules": rules}})


def secret(authority: Authority) -> str:
    """The certificate of the gateway, and whose clients it believes."""
    usage = ExtendedKeyUsageOID.SERVER_AUTH
    pair = authority.issue("front", [x509.DNSName("localhost")], usage=usage)
    entries = {
        "tls.crt": pair.certificate.read_text(),
        "tls.key": pair.key.read_text(),
        "ca.crt": authority.file.read_text(),
    }
    head = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls"}
    return json.dumps({**head, "metadata": {"name": "front", "namespace": "shop"}, "stringData": entries})


@dataclass(slots=True)
class Ground:
    """One listener of a gateway that has the policy."""

    runtime: str
    listener: str
    port: int
    upstream: RawUpstream
    tokens: dict[str, str]
    contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)

    def attempt(self, attack: Attack) -> int:
        """The status, 0 where the connection ended without one."""
        tls = self.contexts[attack.caller] if self.contexts else None
        try:
            if callable(attack.data):
                return attack.data(self.port, tls)
            if isinstance(attack.data, list):
                return send_http2(self.port, attack.data, b"", tls).status
            return status_of(send_bytes(self.port, self.fill_in(attack.data), tls, patience=attack.patience))
        except OSError:  # refused by TLS
            return 0

    def fill_in(self, data: bytes) -> bytes:
        for name, token in self.tokens.items():
            data = data.replace(f"{{{name}}}".encode(), token.encode())
        return data

    def settle(self) -> list[Seen]:
        """All that has reached the upstream, once a request sent now has."""
        before = len(self.upstream.seen)
        assert self.attempt(Attack(0, "", http1("/settled"))) == 200
        assert wait_for(lambda: any(each.path == "/settled" for each in self.upstream.seen[before:]))
        return self.upstream.seen

    def reached(self, tries: list[Attack]) -> tuple[list[int], list[Seen]]:
        """Statuses of these tries, and what of them came to the upstream."""
        start = len(self.settle())
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(self.attempt, tries))
        return statuses, [each for each in self.settle()[start:] if each.path != "/settled"]


def serve_filters(stack: ExitStack, background: Background, folder: Path, wanted: list[WantedFilter]) -> None:
    """Run the filters that Envoy will ask, as a gateway's agent does."""

    async def begin() -> FilterKeeper:
        keeper = FilterKeeper(folder, drain_time=1.0, on_change=lambda: None)
        keeper.want(wanted)
        return keeper

    keeper = background.run(begin())
    stack.callback(lambda: background.run(keeper.stop()))
    assert wait_for(lambda: keeper.ready, limit=60.0)


def opened(stack: ExitStack, trusted: int, runtime: str) -> dict[str, Ground]:
    """The two listeners of a gateway behind so many proxies."""
    folder, background = Path(stack.enter_context(TemporaryDirectory(prefix="mx-"))), Background()
    stack.callback(background.close)
    upstream = stack.enter_context(raw_upstream())
    authority, foreign = Authority(folder, "ca"), Authority(folder, "foreign")
    a, b = Issuer(), Issuer()
    plain, secure = free_port(), free_port()
    text = MESH.replace("TRUSTED", str(trusted)).replace("UPSTREAM", str(upstream.port))
    text = text.replace("PLAIN", str(plain)).replace("SECURE", str(secure))
    texts = [text, authentication(a, b), secret(authority), *policies_of(runtime)]
    mesh = parse_mesh("\n---\n".join(texts))
    translator, front = Translator(mesh), mesh.workloads[0]
    snapshot = translator.snapshot(proxy_of(front))
    asked = translator.services_of(front)
    wanted = [WantedFilter(each.name, each.filter, each.config, each.socket) for each in asked]
    serve_filters(stack, background, folder, wanted)
    own = authority.issue("own", [x509.UniformResourceIdentifier("spiffe://td.test/ns/shop/sa/front")])
    stack.enter_context(serving_secrets(folder / "sds.sock", build_secrets(own, authority.file)))
    bootstrap = json.dumps(to_bootstrap(snapshot, sds=folder / "sds.sock"))
    envoy = background.run(EnvoyProcess.start(bootstrap, folder, concurrency=1, within=True))
    stack.callback(lambda: background.run(envoy.stop()))
    pairs = issue_all(authority, foreign)
    contexts = {"": plain_client(), **{name: pair.to_client() for name, pair in pairs.items()}}
    tokens = tokens_of(a, b)
    return {
        "plain": Ground(runtime, "plain", plain, upstream, tokens),
        "tls": Ground(runtime, "tls", secure, upstream, tokens, contexts),
    }


@pytest.fixture(scope="module", params=["native", "authz", "proc"])
def gateway(request: pytest.FixtureRequest) -> Iterator[dict[str, Ground]]:
    with ExitStack() as stack:
        yield opened(stack, 0, request.param)


@pytest.fixture(params=["plain", "tls"])
def ground(request: pytest.FixtureRequest, gateway: dict[str, Ground]) -> Ground:
    return gateway[request.param]


@pytest.mark.parametrize("row", TITLES)
def test_row(ground: Ground, row: int) -> None:
    tries = [each for each in ATTACKS if each.row == row]
    statuses, seen = ground.reached([each for each in tries if not each.caller])
    reached = [(each, "") for each in seen]
    for attack in (each for each in tries if each.caller):
        more, seen = ground.reached([attack])
        statuses += more
        reached += [(each, attack.caller) for each in seen]
    proved = PROVED if ground.contexts else {}
    through = [(caller, each.head) for each, caller in reached if let_through(each, proved.get(caller))]
    assert len(statuses) == len(tries)
    where = f"gateway {ground.runtime:7}{ground.listener:6}"
    report(describe_row(where, row, statuses, reached=len(reached), through=len(through)))
    assert through == []


def test_what_is_allowed_passes(ground: Ground) -> None:
    """The other half: none of the rows says anything if nothing passes."""

    def status(data: bytes, caller: str = "") -> int:
        return ground.attempt(Attack(0, "", data, caller=caller))

    assert status(http1("/x")) == status(http1("/administrator")) == 200
    assert status(http1("/token/x", "authorization: Bearer {genuine}")) == 200
    denied = (http1("/admin"), http1("/x", "x-role: banned"), http1("/x", host="secret.test"))
    assert [status(each) for each in denied] == [403, 403, 403]
    assert status(http1("/mesh/x"), "web" if ground.contexts else "") == (200 if ground.contexts else 403)


def check_passed(seen: list[Seen]) -> None:
    """Nothing that came through is denied, not even where slashes, dots and letters are written otherwise."""
    for each in seen:
        assert not let_through(each, None), each.head
        line, _, rest = each.head.partition(b"\r\n")
        method, target, version = line.split(b" ")
        plain = re.sub(rb"%[0-9A-Fa-f]{2}", make_plain, target)
        read = b" ".join((method, plain, version)) + b"\r\n" + rest
        assert not let_through(replace(each, head=read), None), each.head
        assert not any(as_name(value) == b"secret.test" for value in each.values("host")), each.head


def make_plain(escaped: re.Match[bytes]) -> bytes:
    """A character of a path that need not be escaped (RFC 3986 section 2.3), slashes of both kinds as one."""
    found = bytes.fromhex(escaped[0][1:].decode())
    return found.replace(b"\\", b"/") if re.fullmatch(rb"[A-Za-z0-9._~/\\-]", found) else escaped[0]


def as_name(host: bytes) -> bytes:
    """A Host without port and dot."""
    return host.lower().partition(b":")[0].rstrip(b".")


def tell(ground: Ground, what: str, tries: int, reached: int) -> None:
    """A line of the table."""
    where = f"gateway {ground.runtime:7}{ground.listener:6}"
    report(f"{where} -  {what:60}{tries:3} tries{reached:4} reached the upstream, allowed")


def test_paths(ground: Ground) -> None:
    statuses, seen = ground.reached([Attack(0, path, request_bytes(path)) for path in PATHS])
    tell(ground, "paths", len(PATHS), len(seen))
    check_passed(seen)
    assert set(statuses) <= {0, 200, 301, 400, 403, 404}
    assert 0 < len(seen) < len(PATHS)


def test_hosts(ground: Ground) -> None:
    tries = [
        Attack(
            0,
            repr(lines),
            "\r\n".join(["GET /x HTTP/1.1", *lines, "Connection: close", "", ""]).encode("latin-1"),
        )
        for lines in HOSTS
    ]
    statuses, seen = ground.reached(tries)
    tell(ground, "hosts", len(tries), len(seen))
    check_passed(seen)
    assert len(statuses) == len(HOSTS)


def test_header_rules(ground: Ground) -> None:
    statuses, seen = ground.reached(
        [Attack(0, repr(lines)[:60], request_bytes("/x", *lines)) for lines in ROLES]
    )
    tell(ground, "headers", len(ROLES), len(seen))
    check_passed(seen)
    assert len(statuses) == len(ROLES)


CLAIMED = [name for name in FORGED if name.startswith(("x-forwarded-", "x-envoy-", "x-meshext-"))]


@pytest.mark.parametrize("name", [*CLAIMED, "forwarded"])
def test_what_a_stranger_claims_does_not_come_through(ground: Ground, name: str) -> None:
    _, seen = ground.reached([Attack(0, name, request_bytes("/x", f"{name}: {FORGED[name]}"))])
    (each,) = seen
    assert FORGED[name].encode("latin-1") not in each.values(name)
    assert b"10.0.0.1" not in each.head
    _, seen = ground.reached([Attack(0, name, request_bytes("/internal/x", f"{name}: {FORGED[name]}"))])
    assert seen == []


def test_the_proxies_in_front_are_believed_and_nobody_before_them() -> None:
    """With one trusted proxy the client is who that one names, the last entry but none."""
    with ExitStack() as stack:
        ground = opened(stack, 1, "native")["plain"]

        def ask(*lines: str) -> int:
            return ground.attempt(Attack(0, "", http1("/internal/x", *lines)))

        assert ask("x-forwarded-for: 10.0.0.1") == 200
        assert ask("x-forwarded-for: 10.0.0.1, 192.0.2.1") == 403
        assert ask("x-forwarded-for: 192.0.2.1, 10.0.0.1") == 200
        assert ask("x-envoy-external-address: 10.0.0.1") == 403
        statuses, seen = ground.reached([Attack(0, "", http1("/x", "x-forwarded-host: a.test"))])
        assert (statuses, seen[0].values("x-forwarded-host")) == ([200], [b"a.test"])
