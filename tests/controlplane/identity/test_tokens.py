"""Join tokens: each is good once, for one key, in its time, whoever tries at the same time."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.bans import Bans
from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.errors import BannedError, CsrError, TokenError
from meshext_controlplane.identity.keys import new_key, to_pkcs8
from meshext_controlplane.identity.limits import Limits
from meshext_controlplane.identity.opening import create_authority, open_authority
from meshext_controlplane.identity.tokens import RETRY, TTL, JoinToken, Tokens
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.state.store import StateStore
from tests.controlplane.identity.conftest import TRUST_DOMAIN, WEB, Hands, to_peer
from tests.controlplane.identity.requests import KEY, csr, uri

OTHER_KEY = new_key()


def test_the_text_of_a_token(tokens: Tokens, authority: CertificateAuthority) -> None:
    token = tokens.create(WEB)
    text = token.reveal()
    assert JoinToken.parse(f" {text}\n") == token
    assert token.root == authority.fingerprints[0]
    assert (len(token.secret), len(token.id)) == (64, 16)


@given(st.text(max_size=300))
def test_other_texts_are_no_tokens(text: str) -> None:
    with pytest.raises(TokenError) as caught:
        JoinToken.parse(text)
    assert len(text) < 8 or text not in str(caught.value)


def test_secrets_are_not_printed_and_not_stored(
    tokens: Tokens, enrollment: Enrollment, store: StateStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = tokens.create(WEB)
    logging.getLogger("test").warning("%s %r %s", token, token, [token])
    for again in (token.reveal(), token.reveal()):
        try:
            enrollment.join(again, csr(key=new_key()))
        except TokenError as error:
            caplog.messages.append(str(error))
    assert token.secret not in f"{caplog.text}{token}{token!r}{tokens.all()}"
    assert token.secret.encode() not in store.path.read_bytes()
    assert bytes.fromhex(token.secret) not in store.path.read_bytes()


def test_a_lost_reply_strands_nobody(tokens: Tokens, enrollment: Enrollment, clock: Hands) -> None:
    """The same key may come again for ten minutes, also after the token has expired; no other key."""
    token = tokens.create(WEB, ttl=timedelta(minutes=1)).reveal()
    clock.pass_by(seconds=59)
    first = enrollment.join(token, csr())
    clock.pass_by(seconds=RETRY.total_seconds() - 1)
    assert enrollment.join(token, csr(uri(str(WEB)))).serial != first.serial
    with pytest.raises(TokenError):
        enrollment.join(token, csr(key=OTHER_KEY))
    clock.pass_by(seconds=1)
    with pytest.raises(TokenError):
        enrollment.join(token, csr())


def test_an_expired_token(tokens: Tokens, enrollment: Enrollment, clock: Hands) -> None:
    token = tokens.create(WEB).reveal()
    clock.pass_by(seconds=TTL.total_seconds())
    with pytest.raises(TokenError, match="unknown, used or expired"):
        enrollment.join(token, csr())


def test_a_refusal_uses_nothing_up(tokens: Tokens, enrollment: Enrollment, store: StateStore) -> None:
    token = tokens.create(WEB).reveal()
    wrong = token[:40] + ("0" if token[40] != "0" else "1") + token[41:]
    with pytest.raises(TokenError):
        enrollment.join(wrong, csr())
    with pytest.raises(CsrError):
        enrollment.join(token, csr(uri("spiffe://shop.example/ns/shop/sa/admin")))
    bans = Bans(store, enrollment.authority)
    bans.add(str(WEB))
    with pytest.raises(BannedError):
        enrollment.join(token, csr())
    bans.lift(str(WEB))
    assert enrollment.join(token, csr()).identity == WEB


def test_a_token_of_another_mesh(foreign_tokens: Tokens, enrollment: Enrollment) -> None:
    with pytest.raises(TokenError):
        enrollment.join(foreign_tokens.create(WEB).reveal(), csr())


@pytest.mark.parametrize(
    "identity",
    [SpiffeId("other.example", "shop", "web"), SpiffeId(TRUST_DOMAIN, "meshext-system", "controlplane")],
)
def test_identities_that_nobody_gets(identity: SpiffeId, tokens: Tokens) -> None:
    with pytest.raises(TokenError):
        tokens.create(identity)


def test_old_tokens_go_with_their_certificates(tokens: Tokens, enrollment: Enrollment, clock: Hands) -> None:
    """One that was used is kept as the limit of what descends from it, an unused one until it expires."""
    used = tokens.create(WEB, limits=Limits({"app": "web"}))
    unused = tokens.create(WEB)
    svid = enrollment.join(used.reveal(), csr())
    clock.pass_by(hours=13)
    tokens.create(WEB)
    kept = {each.id for each in tokens.all()}
    assert used.id in kept
    assert unused.id not in kept
    renewed = enrollment.renew(to_peer(svid), csr())
    clock.pass_by(hours=13)
    assert enrollment.limits_of(to_peer(renewed)).labels == {"app": "web"}
    clock.pass_by(hours=12)
    enrollment.join(tokens.create(WEB).reveal(), csr())
    tokens.create(WEB)
    assert used.id not in {each.id for each in tokens.all()}


@pytest.mark.parametrize("same_key", [True, False])
def test_many_at_once(same_key: bool, tokens: Tokens, store: StateStore) -> None:
    """Connections of their own, as processes would have: one key gets in, and only that."""
    many = 8
    token = tokens.create(WEB).reveal()
    start = Barrier(many)

    def join(number: int) -> int:
        with StateStore(store.folder) as own:
            enrollment = Enrollment(own, open_authority(own))
            request = csr(key=KEY if same_key else new_key())
            start.wait()
            try:
                enrollment.join(token, request)
            except TokenError:
                return 0
            return 1

    with ThreadPoolExecutor(many) as pool:
        assert sum(pool.map(join, range(many))) == (many if same_key else 1)


RACER = """
import sys
from pathlib import Path
from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.errors import TokenError
from meshext_controlplane.identity.opening import open_authority
from meshext_controlplane.state.store import StateStore
with StateStore(Path(sys.argv[1])) as store:
    enrollment = Enrollment(store, open_authority(store))
    print(flush=True)
    token, request = sys.stdin.readline().split()
    try:
        print(enrollment.join(token, bytes.fromhex(request)).serial)
    except TokenError:
        print("refused")
"""


def test_processes_at_once(tokens: Tokens, store: StateStore) -> None:
    command = [sys.executable, "-c", RACER, str(store.folder)]
    racers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    token = tokens.create(WEB).reveal()
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write(f"{token} {csr(key=new_key()).hex()}\n")
        racer.stdin.flush()
    results = [racer.communicate(timeout=60)[0].strip() for racer in racers]
    assert sorted(results)[1:].count("refused") == 2


class TokenLife(RuleBasedStateMachine):
    """Tokens against the rule in one sentence: unused and in time, or the same key within ten minutes."""

    folder: tempfile.TemporaryDirectory[str]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Hands(datetime(2030, 1, 1, tzinfo=UTC))
        self.store = StateStore(Path(self.folder.name))
        create_authority(self.store, TRUST_DOMAIN, clock=self.clock)
        authority = open_authority(self.store, clock=self.clock)
        self.tokens = Tokens(authority, self.store)
        self.enrollment = Enrollment(self.store, authority)
        self.made: list[tuple[str, datetime]] = []
        self.used: dict[str, tuple[int, datetime]] = {}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(minutes=st.integers(1, 30))
    def create(self, minutes: int) -> None:
        ttl = timedelta(minutes=minutes)
        self.made.append((self.tokens.create(WEB, ttl=ttl).reveal(), self.clock() + ttl))

    @rule(seconds=st.integers(0, 900))
    def wait(self, seconds: int) -> None:
        self.clock.pass_by(seconds=seconds)

    @rule(data=st.data(), key=st.sampled_from([0, 1]))
    def join(self, data: Any, key: int) -> None:
        if not self.made:
            return
        token, expires = data.draw(st.sampled_from(self.made))
        now = self.clock()
        by, since = self.used.get(token, (key, now))
        good = now < expires if token not in self.used else by == key and now < since + RETRY
        request = csr(key=(KEY, OTHER_KEY)[key])
        if good:
            assert self.enrollment.join(token, request).identity == WEB
            self.used.setdefault(token, (key, now))
        else:
            with pytest.raises(TokenError):
                self.enrollment.join(token, request)


TestTokenLife = TokenLife.TestCase
TestTokenLife.settings = settings(max_examples=20, stateful_step_count=25)


def test_keys_print_without_what_they_hold(authority: CertificateAuthority) -> None:
    pem = to_pkcs8(authority.issuer.key, Encoding.PEM).decode()
    shown = f"{authority!r} {authority.issuer!r}"
    assert not any(line in shown for line in pem.splitlines())
    assert "PrivateKey" not in shown
