"""Who may renew, who may talk to us, and what a workload may register."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.identity.bans import Bans, parse_serial
from meshext_controlplane.identity.enrollment import MOST, Enrollment
from meshext_controlplane.identity.errors import BannedError, BusyError, IdentityError, LimitError, PeerError
from meshext_controlplane.identity.limits import (
    Limits,
    check_registration,
    format_ports,
    from_json,
    parse_ports,
    to_json,
)
from meshext_controlplane.identity.own_svid import OwnSvid
from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.identity.rotation import SPREAD, rotate_at
from meshext_controlplane.identity.tokens import Tokens
from meshext_controlplane.state.store import StateStore
from tests.controlplane.identity.conftest import API, WEB, Hands, to_peer
from tests.controlplane.identity.requests import csr

LIMITS = Limits({"app": "web", "tier": "front"}, ((8080, 8080), (9000, 9010)))


def test_a_renewal_keeps_the_limits_of_its_token(enrollment: Enrollment, tokens: Tokens) -> None:
    """Two workloads of one identity, each with its own token."""
    lines = [
        enrollment.join(tokens.create(WEB, limits=limits).reveal(), csr()) for limits in (LIMITS, Limits())
    ]
    for _ in range(2):
        lines = [enrollment.renew(to_peer(each), csr()) for each in lines]
    assert [enrollment.limits_of(to_peer(each)) for each in lines] == [LIMITS, Limits()]


def test_a_certificate_that_is_not_known(enrollment: Enrollment, tokens: Tokens, clock: Hands) -> None:
    """As after a restore: the limits are those of the identity's latest token, or nothing."""
    unknown = Peer(WEB, "abc", clock() + timedelta(hours=1))
    assert enrollment.limits_of(unknown) == Limits()
    assert enrollment.renew(unknown, csr()).identity == WEB
    enrollment.join(tokens.create(WEB, limits=LIMITS).reveal(), csr())
    assert enrollment.limits_of(unknown) == LIMITS
    assert enrollment.limits_of(to_peer(enrollment.renew(unknown, csr()))) == LIMITS


def test_nobody_fills_the_disk(enrollment: Enrollment, tokens: Tokens, clock: Hands) -> None:
    """A workload that asks without end is put off; its replicas are not."""
    greedy, other = (to_peer(enrollment.join(tokens.create(WEB).reveal(), csr())) for _ in range(2))
    for _ in range(MOST - 1):
        enrollment.renew(greedy, csr())
    with pytest.raises(BusyError, match="has got 60 certificates within 0:10:00; try again later"):
        enrollment.renew(greedy, csr())
    enrollment.renew(other, csr())
    clock.pass_by(minutes=10)
    enrollment.renew(greedy, csr())


def test_whoever_is_banned_gets_nothing(enrollment: Enrollment, tokens: Tokens, store: StateStore) -> None:
    svid = enrollment.join(tokens.create(WEB).reveal(), csr())
    renewed = enrollment.renew(to_peer(svid), csr())
    bans = Bans(store, enrollment.authority)
    bans.add(svid.serial)
    with pytest.raises(BannedError, match=f"the certificate {svid.serial} is banned"):
        enrollment.renew(to_peer(svid), csr())
    enrollment.check(to_peer(renewed))
    bans.add(str(WEB))
    for ask in (
        lambda: enrollment.check(to_peer(renewed)),
        lambda: enrollment.renew(to_peer(renewed), csr()),
    ):
        with pytest.raises(BannedError, match=f"{WEB} is banned"):
            ask()


def test_an_expired_certificate_gets_nothing(enrollment: Enrollment, tokens: Tokens, clock: Hands) -> None:
    """TLS looks at the date when it begins; a connection may live longer."""
    peer = to_peer(enrollment.join(tokens.create(WEB).reveal(), csr()))
    clock.now = peer.not_after - timedelta(seconds=1)
    enrollment.check(peer)
    clock.pass_by(seconds=1)
    with pytest.raises(PeerError, match="has expired"):
        enrollment.renew(peer, csr())


def test_the_control_plane_is_no_workload(enrollment: Enrollment) -> None:
    own = OwnSvid(enrollment.authority).refresh()
    with pytest.raises(PeerError, match="is the control plane's own"):
        enrollment.admit({"x509_pem_cert": [own.chain]})


@pytest.mark.parametrize("shown", [[], [b""], [b"garbage"], [b"a", b"b"]])
def test_peers_without_a_certificate(shown: list[bytes], enrollment: Enrollment) -> None:
    with pytest.raises(PeerError):
        enrollment.admit({"x509_pem_cert": shown} if shown else {})


def test_what_a_workload_may_register() -> None:
    assert check_registration(LIMITS, labels={}, ports=[8080, 9000, 9010]) == LIMITS.labels
    assert check_registration(LIMITS, labels={"app": "web"}, ports=[]) == LIMITS.labels
    for labels in ({"app": "admin"}, {"role": "admin"}, {"app": ""}):
        with pytest.raises(LimitError, match="the token gives no label"):
            check_registration(LIMITS, labels=labels, ports=[])
    for port in (8081, 8999, 9011, 0, -1, 65536):
        with pytest.raises(LimitError, match=r"it gives 8080,9000-9010"):
            check_registration(LIMITS, labels={}, ports=[8080, port])
    with pytest.raises(LimitError, match="it gives none"):
        check_registration(Limits(), labels={}, ports=[80])


numbers = st.integers(1, 65535)
ranges = st.lists(st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair))), max_size=4)


@given(ranges.map(tuple), st.dictionaries(st.text(), st.text(), max_size=3))
def test_limits_come_back_as_they_were(ports: tuple[tuple[int, int], ...], labels: dict[str, str]) -> None:
    limits = Limits(labels, ports)
    assert from_json(to_json(limits)) == limits
    assert parse_ports("" if not ports else format_ports(ports)) == ports


@given(st.text(max_size=20))
def test_ports_are_parsed_or_refused(text: str) -> None:
    try:
        ports = parse_ports(text)
    except LimitError:
        return
    assert all(1 <= first <= last <= 65535 for first, last in ports)


@given(st.integers(1, 2**160 - 1))
def test_serial_numbers_in_any_form(number: int) -> None:
    digits = f"{number:x}"
    whole = digits.zfill(len(digits) + len(digits) % 2)
    colons = ":".join(whole[place : place + 2] for place in range(0, len(whole), 2))
    assert {parse_serial(each) for each in (digits, whole, colons, f"0x{digits.upper()}")} == {digits}


@given(st.text(max_size=50))
def test_other_texts_are_no_serial_numbers(text: str) -> None:
    try:
        found = parse_serial(text)
    except IdentityError:
        return
    assert 0 < int(found, 16) < 2**160


@given(st.floats(allow_nan=False), st.integers(60, 10**7))
def test_renewals_are_spread_around_half_of_the_life(draw: float, seconds: int) -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)
    life = timedelta(seconds=seconds)
    part = (rotate_at(start, start + life, draw=draw) - start) / life
    assert 0.5 - SPREAD / 2 - 1e-6 <= part <= 0.5 + SPREAD / 2 + 1e-6


def test_bans_are_of_one_identity_only(enrollment: Enrollment, store: StateStore) -> None:
    web, api = (enrollment.authority.issue(csr(), each) for each in (WEB, API))
    Bans(store, enrollment.authority).add(str(WEB))
    with pytest.raises(BannedError):
        enrollment.check(to_peer(web))
    enrollment.check(to_peer(api))
