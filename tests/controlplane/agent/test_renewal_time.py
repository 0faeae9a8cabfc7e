"""When a certificate is renewed: at half of its life, and never again at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meshext_controlplane.agent.renewal import renew_at, renew_soon
from meshext_controlplane.agent.svid import Svid, build_csr, check_svid, make_key
from tests.controlplane.agent.authority import Authority

NOW = datetime.now(UTC)


@pytest.fixture
def svid(tmp_path: Path) -> Svid:
    key = make_key()
    return check_svid(Authority().svid(build_csr(key), "spiffe://cluster.local/ns/shop/sa/a"), key)


@pytest.mark.parametrize(
    ("backdated", "life", "least", "most"),
    [(5, 1440, 700, 740), (5, 1, 0.24, 0.26), (60, 10, 2.4, 2.6)],
)
def test_half_of_a_life_and_no_less_than_a_quarter_of_what_is_left(
    svid: Svid, backdated: float, life: float, least: float, most: float
) -> None:
    given = replace(
        svid, not_before=NOW - timedelta(minutes=backdated), not_after=NOW + timedelta(minutes=life)
    )
    for draw in (0.0, 0.5, 1.0):
        minutes = (renew_at(given, NOW, draw) - NOW).total_seconds() / 60
        assert least * 0.9 <= minutes <= most * 1.1


@pytest.mark.parametrize(("life", "most"), [(1440, 30), (2, 6)])
def test_other_roots_are_confirmed_soon(svid: Svid, life: float, most: float) -> None:
    given = replace(svid, not_before=NOW, not_after=NOW + timedelta(minutes=life))
    assert renew_soon(given, NOW, 0.0) == NOW
    assert renew_soon(given, NOW, 1.0) == NOW + timedelta(seconds=most)
