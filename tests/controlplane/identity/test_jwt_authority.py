"""Keys that sign tokens: they take turns before anybody could miss one, stay sealed, and survive."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.cli.main import main
from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.bans import Bans
from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.errors import (
    AudienceError,
    BannedError,
    BusyError,
    JwtError,
    PeerError,
    SealError,
    SubjectError,
)
from meshext_controlplane.identity.jwt_authority import JwtAuthority, keep_jwt_keys, open_jwt_authority
from meshext_controlplane.identity.jwt_checking import check_jwt_svid, key_id_of
from meshext_controlplane.identity.jwt_schedule import (
    KNOWN_AFTER,
    SIGNS,
    known_at,
    missing_at,
    signing_at,
)
from meshext_controlplane.identity.jwt_service import TOKENS
from meshext_controlplane.identity.jwt_svid import LIFE
from meshext_controlplane.identity.opening import open_authority, seal_keys
from meshext_controlplane.identity.pace import Pace
from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.identity.sealing import is_plain
from meshext_controlplane.identity.svid import Trust, to_pem
from meshext_controlplane.identity.tokens import Tokens
from meshext_controlplane.state.backup import back_up, check_backup, restore
from meshext_controlplane.state.jwt_keys import list_jwt_keys
from meshext_controlplane.state.schema import STEPS
from meshext_controlplane.state.store import StateStore
from meshext_controlplane.state.worker import StateThread
from meshext_proto.meshext import svids_pb2
from tests.controlplane.identity.conftest import API, TRUST_DOMAIN, WEB, Hands, to_peer
from tests.controlplane.identity.requests import csr
from tests.controlplane.identity.serving import Member, join, serving
from tests.controlplane.identity.test_services import OTHER, status

SECRET = b"correct horse battery"


@dataclass(frozen=True)
class Turn:
    begins: int
    ends: int


@given(st.lists(st.integers(0, 4 * SIGNS), max_size=25))
def test_one_key_signs_at_any_time_and_was_told_before(gaps: list[int]) -> None:
    """Whenever somebody looks: after minutes or days, one signs, the next is known, few are kept."""
    now, keys, known = 1_800_000_000, list[Turn](), list[Turn]()
    for gap in gaps:
        now += gap
        keys = known_at(keys, now)
        keys += [Turn(*span) for span in missing_at(keys, now)]
        signer = signing_at(keys, now)
        assert signer is not None
        assert signer.begins <= now < signer.ends
        assert any(each.begins == signer.ends for each in keys)
        assert len(keys) <= 3
        if gap < SIGNS and known:  # who looked less than a day ago knows who signs now
            assert signer in known
        assert all(each in keys for each in known if each.ends + KNOWN_AFTER > now)
        assert missing_at(keys, now) == []
        known = list(keys)


@given(st.lists(st.integers(-9 * SIGNS, 9 * SIGNS), max_size=15))
def test_one_key_signs_whatever_the_clock_does(gaps: list[int]) -> None:
    now, keys = 1_800_000_000, list[Turn]()
    for gap in gaps:
        now += gap
        keys = known_at(keys, now)
        keys += [Turn(*span) for span in missing_at(keys, now)]
        assert signing_at(keys, now) is not None
        assert any(each.begins > now for each in keys)
        assert missing_at(keys, now) == []


@pytest.fixture
def signer(store: StateStore, authority: CertificateAuthority) -> JwtAuthority:
    made = open_jwt_authority(store, authority)
    assert made.ensure()
    assert not made.ensure()
    return made


@pytest.fixture
def web(enrollment: Enrollment, tokens: Tokens) -> Peer:
    return to_peer(enrollment.join(tokens.create(WEB).reveal(), csr()))


def believed(token: str, trust: Trust, clock: Hands, audience: str = "orders") -> dict[str, Any]:
    found = check_jwt_svid(
        token,
        trust.jwt_keys,
        audience=audience,
        trust_domain=TRUST_DOMAIN,
        now=clock().timestamp(),
        banned=trust.banned,
    )
    return found.claims


def test_a_token_says_who_its_holder_has_proved_to_be(
    signer: JwtAuthority, web: Peer, authority: CertificateAuthority, clock: Hands
) -> None:
    token = signer.issue(web, ["orders", "orders", "mail"], subject=str(WEB))
    now = int(clock().timestamp())
    assert believed(token, authority.trust(), clock) == {
        "aud": ["orders", "mail"],
        "exp": now + LIFE,
        "iat": now,
        "sub": str(WEB),
    }
    clock.pass_by(seconds=LIFE)
    with pytest.raises(JwtError, match="expired"):
        believed(token, authority.trust(), clock)


def test_a_token_does_not_outlive_the_certificate(
    signer: JwtAuthority, web: Peer, authority: CertificateAuthority, clock: Hands
) -> None:
    last = Peer(web.identity, web.serial, clock() + timedelta(seconds=7))
    claims = believed(signer.issue(last, ["orders"]), authority.trust(), clock)
    assert claims["exp"] - claims["iat"] == 7
    clock.pass_by(seconds=7)
    with pytest.raises(PeerError, match="expired"):
        signer.issue(last, ["orders"])


def test_nobody_gets_anothers(
    signer: JwtAuthority, web: Peer, store: StateStore, authority: CertificateAuthority
) -> None:
    for subject in (str(API), f"{WEB}/", f" {WEB}", "spiffe://shop.example"):
        with pytest.raises(SubjectError, match="only its own"):
            signer.issue(web, ["orders"], subject=subject)
    with pytest.raises(AudienceError):
        signer.issue(web, [])
    Bans(store, authority).add(str(WEB))
    with pytest.raises(BannedError):
        signer.issue(web, ["orders"])


def test_a_ban_counts_for_tokens_of_before(
    signer: JwtAuthority, web: Peer, store: StateStore, authority: CertificateAuthority, clock: Hands
) -> None:
    token = signer.issue(web, ["orders"])
    Bans(store, authority).add(str(WEB))
    with pytest.raises(JwtError, match="is banned"):
        believed(token, authority.trust(), clock)
    Bans(store, authority).lift(str(WEB))
    assert believed(token, authority.trust(), clock)


def test_keys_take_turns(
    signer: JwtAuthority, web: Peer, authority: CertificateAuthority, clock: Hands, enrollment: Enrollment
) -> None:
    first, before = signer.issue(web, ["orders"]), authority.trust()
    for _ in range(2):
        for _ in range(SIGNS // 1200):
            clock.pass_by(seconds=600)
            signer.ensure()
        web = to_peer(enrollment.renew(web, csr()))
    second, after = signer.issue(web, ["orders"]), authority.trust()
    assert key_id_of(first) != key_id_of(second)
    assert believed(second, before, clock)  # a sidecar that has heard nothing for a day
    assert len(after.jwt_keys) == 3  # the last one too
    clock.pass_by(seconds=KNOWN_AFTER)
    assert signer.ensure()
    assert key_id_of(first) not in [each.id for each in authority.trust().jwt_keys]


def test_keys_take_turns_before_their_time(
    signer: JwtAuthority, web: Peer, authority: CertificateAuthority, clock: Hands
) -> None:
    first, before = signer.issue(web, ["orders"]), authority.trust()
    clock.pass_by(seconds=1)
    signer.rotate()
    second = signer.issue(web, ["orders"])
    assert key_id_of(second) != key_id_of(first)
    assert believed(second, before, clock)
    assert believed(first, authority.trust(), clock)
    signer.rotate(revoke=True)
    for token in (first, second):
        with pytest.raises(JwtError, match="not one of this trust domain"):
            believed(token, authority.trust(), clock)
    assert believed(signer.issue(web, ["orders"]), authority.trust(), clock)


def test_keys_are_sealed_as_the_authoritys_are(
    store: StateStore, signer: JwtAuthority, web: Peer, authority: CertificateAuthority, clock: Hands
) -> None:
    assert all(map(is_plain, stored_keys(store)))
    token = signer.issue(web, ["orders"])
    assert seal_keys(store, SECRET)
    assert not any(map(is_plain, stored_keys(store)))
    with pytest.raises(SealError):  # or what it makes would be kept in the clear
        open_jwt_authority(store, authority)
    with pytest.raises(SealError):
        open_jwt_authority(store, authority, secret=b"another passphrase")
    opened = open_jwt_authority(store, authority, secret=SECRET)
    assert key_id_of(opened.issue(web, ["orders"])) == key_id_of(token)
    opened.rotate(revoke=True)
    assert not any(map(is_plain, stored_keys(store)))
    assert not seal_keys(store, SECRET)


def stored_keys(store: StateStore) -> list[bytes]:
    with store.reading() as transaction:
        return [each.key for each in list_jwt_keys(transaction)]


def test_a_backup_keeps_tokens_valid(
    store: StateStore,
    signer: JwtAuthority,
    web: Peer,
    authority: CertificateAuthority,
    clock: Hands,
    tmp_path: Path,
) -> None:
    token = signer.issue(web, ["orders"])
    assert back_up(store, tmp_path / "copy.db").rows["jwt_keys"] == 2
    store.close()
    restore(tmp_path / "copy.db", tmp_path / "elsewhere")
    with StateStore(tmp_path / "elsewhere") as again:
        restored = open_authority(again, clock=clock)
        assert believed(token, restored.trust(), clock)
        assert not open_jwt_authority(again, restored).ensure()
        assert key_id_of(open_jwt_authority(again, restored).issue(web, ["orders"])) == key_id_of(token)


def test_a_state_and_a_backup_of_before_there_were_tokens(
    store: StateStore, authority: CertificateAuthority, tmp_path: Path
) -> None:
    assert len(STEPS) == 2
    with store.writing() as transaction:
        transaction.execute("DROP TABLE jwt_keys")
        transaction.execute("PRAGMA user_version = 1")
    (old := tmp_path / "old.db").write_bytes(store.path.read_bytes())
    assert "jwt_keys" not in check_backup(old).rows
    restore(old, tmp_path / "elsewhere")
    with StateStore(tmp_path / "elsewhere") as again:
        assert open_jwt_authority(again, open_authority(again)).ensure()


def test_tokens_over_real_tls(
    store: StateStore, enrollment: Enrollment, tokens: Tokens, signer: JwtAuthority, clock: Hands
) -> None:
    async def run() -> None:
        roots = to_pem(enrollment.authority.roots)
        async with serving(store, enrollment, jwt=signer, pace=Pace(12, 60)) as served:
            member = await join(served.join, roots, tokens.create(WEB).reveal())
            assert len(member.svid.jwt_keys) == 2
            token = await ask(member, served.ads, "orders")
            assert believed(token, enrollment.authority.trust(), clock)["sub"] == str(WEB)
            assert await ask(member, served.ads, "orders", subject=str(WEB))
            for code, audiences, subject in (
                (grpc.StatusCode.PERMISSION_DENIED, ["orders"], str(API)),
                (grpc.StatusCode.INVALID_ARGUMENT, [], ""),
                (grpc.StatusCode.INVALID_ARGUMENT, ["x" * 600], ""),
                (grpc.StatusCode.INVALID_ARGUMENT, [f"a{n}" for n in range(17)], ""),
                (grpc.StatusCode.INVALID_ARGUMENT, ["x" * 500] * 100, ""),  # too long a message
            ):
                assert await status(ask(member, served.ads, *audiences, subject=subject)) is code
            async with member.watching(served.ads) as following:
                first = await following()
                signer.rotate()
                Bans(store, enrollment.authority).add(str(OTHER))
                served.feed.notify()
                second = await following()
                assert (len(first.jwt_keys), len(second.jwt_keys)) == (2, 3)
                assert list(second.banned) == [str(OTHER)]
            endings = [await ending(ask(member, served.ads, "orders")) for _ in range(12)]
            assert endings[-1] is grpc.StatusCode.RESOURCE_EXHAUSTED
            api = await join(served.join, roots, tokens.create(API).reveal())
            Bans(store, enrollment.authority).add(str(API))
            assert await status(ask(api, served.ads, "orders")) is grpc.StatusCode.PERMISSION_DENIED

    asyncio.run(run())


async def ending(call: Any) -> grpc.StatusCode | None:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return None


async def ask(member: Member, port: int, *audiences: str, subject: str = "") -> str:
    async with member.channel(port) as channel:
        call: Any = channel.unary_unary(f"/{TOKENS}/Issue", response_deserializer=svids_pb2.Jwt.FromString)
        request = svids_pb2.IssueRequest(audiences=audiences, subject=subject)
        answer: svids_pb2.Jwt = await call(request.SerializeToString(), timeout=20)
        return answer.token


def test_turns_are_taken_while_it_runs(signer: JwtAuthority, clock: Hands, store: StateStore) -> None:
    async def run() -> None:
        thread, changes = StateThread(), asyncio.Queue[int]()
        clock.pass_by(days=2)
        keeping = asyncio.create_task(keep_jwt_keys(signer, thread, lambda: changes.put_nowait(1)))
        await asyncio.wait_for(changes.get(), 20)
        keeping.cancel()
        thread.close()
        assert not signer.ensure()

    asyncio.run(run())


def test_one_asks_too_often_and_others_do_not() -> None:
    clock = Hands(datetime.now(UTC))
    pace = Pace(2, 10, clock=lambda: clock().timestamp())
    pace.note("a")
    pace.note("a")
    with pytest.raises(BusyError):
        pace.note("a")
    pace.note("b")
    clock.pass_by(seconds=10)
    pace.note("a")


def test_the_command(store: StateStore, signer: JwtAuthority, capsys: pytest.CaptureFixture[str]) -> None:
    def names() -> list[str]:
        with store.reading() as transaction:
            return [each.id for each in list_jwt_keys(transaction)]

    before = names()
    assert main(["certs", "rotate-jwt", "--state", str(store.folder)]) == 0
    assert set(before) < set(names())
    assert main(["certs", "rotate-jwt", "--revoke", "--state", str(store.folder)]) == 0
    assert not set(before) & set(names())
    assert main(["certs", "--state", str(store.folder)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("the next key signs\nthere are new keys, and no others\n")
    assert [word in said for word in names()] == [True, True]
