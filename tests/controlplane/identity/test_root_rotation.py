"""From one root to another: who has followed is never refused, who has not is known."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest
from cryptography import x509

from meshext.cli.main import main
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.upstreams import TcpAddress
from meshext_controlplane.agent.errors import ForgedServerError
from meshext_controlplane.agent.joining import join as join_as_sidecar
from meshext_controlplane.agent.svid import Svid, make_key
from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.facts import read_facts
from meshext_controlplane.identity.keys import PrivateKey
from meshext_controlplane.identity.marker import default_marker, write_marker
from meshext_controlplane.identity.opening import open_authority
from meshext_controlplane.identity.root_rotation import RootRotation, Stage
from meshext_controlplane.identity.starting import start_authority
from meshext_controlplane.identity.svid import to_pem
from meshext_controlplane.identity.tokens import JoinToken, Tokens
from meshext_controlplane.state.bans import BanRecord, insert_ban
from meshext_controlplane.state.store import StateStore
from tests.controlplane.identity.conftest import API, TRUST_DOMAIN, WEB, Hands, to_peer
from tests.controlplane.identity.requests import csr
from tests.controlplane.identity.serving import Member, Served, join, serving
from tests.controlplane.identity.test_banned_peers import Held, ask, bootstrap, write_secrets

SECRET = b"correct horse battery"


@pytest.fixture
def rotation(store: StateStore, authority: CertificateAuthority, clock: Hands) -> RootRotation:
    write_marker(default_marker(store.folder), store.folder, authority.fingerprints)
    return RootRotation(store, marker=default_marker(store.folder), clock=clock)


def test_each_step_waits_for_everybody(
    rotation: RootRotation, enrollment: Enrollment, tokens: Tokens, clock: Hands, store: StateStore
) -> None:
    old = enrollment.authority.roots
    web, api = (enrollment.join(tokens.create(each).reveal(), csr()) for each in (WEB, API))
    clock.pass_by(seconds=1)
    assert rotation.step().waiting == (str(API), str(WEB))
    assert rotation.step().stage is Stage.ANNOUNCED
    clock.pass_by(hours=1)
    web = enrollment.renew(to_peer(web), csr())
    assert len(web.trust.roots) == 2
    assert web.trust.roots[:1] == old
    assert rotation.step().waiting == (str(API),)
    api = enrollment.renew(to_peer(api), csr())
    assert rotation.step().stage is Stage.ISSUING
    clock.pass_by(hours=1)
    assert rotation.step().waiting == (str(API), str(WEB))
    web = enrollment.renew(to_peer(web), csr())
    assert web.trust.roots[1:] == old
    for _ in range(3):  # api does not come any more, and its certificate expires
        clock.pass_by(hours=12)
        web = enrollment.renew(to_peer(web), csr())
    assert rotation.step() == rotation.progress()
    assert rotation.progress().stage is Stage.NONE
    web = enrollment.renew(to_peer(web), csr())
    assert len(web.trust.roots) == 1
    assert web.trust.roots != old
    started = start_authority(
        store, trust_domain=TRUST_DOMAIN, marker=default_marker(store.folder), clock=clock
    )
    assert started.roots == web.trust.roots
    assert started.issuer.certificate == enrollment.authority.issuer.certificate


def test_no_handshake_is_refused(
    rotation: RootRotation, store: StateStore, enrollment: Enrollment, tokens: Tokens
) -> None:
    """Over real TLS: members that joined before, between and after, old certificates and renewed ones."""

    async def run() -> None:
        async with serving(store, enrollment) as served:
            first = await join(served.join, to_pem(enrollment.authority.roots), tokens.create(WEB).reveal())
            rotation.step(force=True)
            both = await renewed(first, served)
            assert len(both.svid.roots) == 2
            rotation.step(force=True)
            enrollment.authority.trust()
            second = await join(served.join, to_pem(enrollment.authority.roots), tokens.create(API).reveal())
            for member in (both, second, await renewed(both, served), await renewed(second, served)):
                await member.renew(served.ads)
            new = await renewed(both, served)
            rotation.step(force=True)
            enrollment.authority.trust()
            for member in (new, second):
                assert len((await member.renew(served.ads)).roots) == 1
            with pytest.raises(grpc.aio.AioRpcError):
                await first.renew(served.ads)
            with pytest.raises(grpc.aio.AioRpcError):
                await both.renew(served.ads)

    asyncio.run(run())


def test_a_token_from_before_joins_while_both_roots_are_trusted(
    rotation: RootRotation, store: StateStore, enrollment: Enrollment, tokens: Tokens
) -> None:
    async def run() -> None:
        async with serving(store, enrollment) as served:
            before = [JoinToken.parse(tokens.create(each).reveal()) for each in (WEB, API, WEB)]
            rotation.step(force=True)
            rotation.step(force=True)
            enrollment.authority.trust()
            after = JoinToken.parse(tokens.create(API).reveal())
            assert before[0].root != after.root
            for token in (before[0], after, before[1]):
                assert len((await join_by_token(served, token)).roots) == 2
            rotation.step(force=True)
            enrollment.authority.trust()
            with pytest.raises(ForgedServerError, match="ask for a new token"):
                await join_by_token(served, before[2])

    asyncio.run(run())


async def join_by_token(served: Served, token: JoinToken) -> Svid:
    address = TcpAddress("127.0.0.1", served.join)
    return await join_as_sidecar(address, token.reveal(), bytes.fromhex(token.root), make_key())


async def renewed(member: Member, served: Served) -> Member:
    key: PrivateKey = member.key
    return Member(key, await member.renew(served.ads))


def test_another_process_rotates(
    store: StateStore, enrollment: Enrollment, rotation: RootRotation, clock: Hands
) -> None:
    """The authority that runs sees it with its next call; sealed keys stay sealed."""
    with StateStore(store.folder) as elsewhere:
        other = RootRotation(elsewhere, marker=default_marker(store.folder), clock=clock)
        other.step()
        assert len(enrollment.authority.trust().revocations) == 4
        other.step(force=True)
        svid = enrollment.authority.issue(csr(), WEB)
        assert read_facts(elsewhere).fingerprints == enrollment.authority.fingerprints
        assert x509.load_der_x509_certificate(svid.chain[1]) == open_authority(elsewhere).issuer.certificate
        other.step(force=True)
    assert len(enrollment.authority.trust().roots) == 1
    assert len(enrollment.authority.trust().revocations) == 2


def test_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)
    folder = tmp_path / "state"
    with StateStore(folder) as store:
        authority = start_authority(
            store, trust_domain=TRUST_DOMAIN, marker=default_marker(folder), secret=SECRET
        )
        enrollment = Enrollment(store, authority)
        enrollment.join(Tokens(authority, store).create(WEB).reveal(), csr())

        def rotate(*options: str) -> tuple[int, str]:
            code = main(
                ["certs", "rotate-root", "--state", str(folder), "--secret-file", str(secret), *options]
            )
            return code, capfd.readouterr().out

        assert rotate("--show") == (0, "one root is trusted, and no rotation is under way\n")
        assert rotate("--resume") == rotate("--show")
        assert rotate("--step")[0] == 0
        assert rotate("--timeout", "0")[0] == rotate("--step")[0] == 1
        code, out = rotate("--resume", "--timeout", "0")
        assert code == 1
        assert out.endswith(f"the next step waits for 1 to renew:\n  {WEB}\n")
        assert rotate("--now")[0] == 0
        assert rotate("--now", "--json") == (0, '{"stage": "none", "waiting": []}\n')
        assert len(authority.trust().roots) == 1
        key = authority.issuer.key.private_numbers()
        assert hasattr(key, "private_value")
        assert key.private_value.to_bytes(32, "big") not in store.path.read_bytes()
    assert main(["certs", "rotate-root", "--state", str(folder)]) == 2


def test_nobody_waits_for_who_is_banned(
    rotation: RootRotation, enrollment: Enrollment, tokens: Tokens, store: StateStore
) -> None:
    for each in (WEB, API):
        enrollment.join(tokens.create(each).reveal(), csr())
    rotation.step()
    with store.writing() as transaction:
        insert_ban(transaction, BanRecord("identity", str(API), "stolen", 1))
    assert rotation.progress().waiting == (str(WEB),)


@pytest.mark.envoy
def test_peers_follow_without_an_error(
    rotation: RootRotation, store: StateStore, authority: CertificateAuthority, tmp_path: Path
) -> None:
    """The real Envoy as a peer lets both in as long as both roots are trusted, then the old one no more."""

    async def run() -> None:
        server, old = Held(authority, API), Held(authority, WEB)
        rotation.step(force=True)
        authority.trust()
        write_secrets(tmp_path, server, leaf_only=True)
        async with await EnvoyProcess.start(bootstrap(tmp_path), tmp_path / "run", concurrency=1) as envoy:
            port = envoy.port("main")
            clients = [old.to_client(tmp_path / "old")]
            status, session = await ask(port, clients[0])
            assert status == 200
            rotation.step(force=True)
            renewed_server, new = Held(authority, API), Held(authority, WEB)
            clients.append(new.to_client(tmp_path / "new"))
            assert [(await ask(port, each))[0] for each in clients] == [200, 200]
            write_secrets(tmp_path, renewed_server, leaf_only=True)
            assert [(await ask(port, each))[0] for each in clients] == [200, 200]
            rotation.step(force=True)
            write_secrets(tmp_path, renewed_server, leaf_only=True)
            while (await ask(port, clients[0]))[0] == 200:
                pass
            assert (await ask(port, clients[0], session))[0] is None
            assert (await ask(port, clients[1]))[0] == 200

    asyncio.run(run())
