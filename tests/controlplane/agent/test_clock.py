"""Clocks that differ: when it is said, what is said, and that a certificate is renewed in time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from meshext_controlplane.agent.clock import Skew, explain_handshake, explain_validity
from meshext_controlplane.agent.renewal import Due
from tests.controlplane.agent.authority import DAY, Authority

NOW = datetime.now(UTC)


def test_a_difference_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    skew = Skew()
    for here in (1000.0, 1030.0, 4600.0, 4601.0, 1000.0):
        skew.note(here, 1000.0)
    assert [each.message.partition(":")[0] for each in caplog.records] == [
        "this machine's clock is 3600 s ahead of the control plane's"
    ]
    skew.note(0.0, 1000.0)
    assert "1000 s behind the control plane's" in caplog.text
    assert skew.seconds == -1000


@pytest.mark.parametrize(
    ("now", "said"), [(NOW, ""), (NOW - 2 * DAY, "set this"), (NOW + 400 * DAY, "set this")]
)
def test_a_certificate_that_is_not_valid_here(now: datetime, said: str) -> None:
    assert said in explain_validity([Authority().root], now)
    assert bool(said) is bool(explain_validity([Authority().root], now))


def test_what_tls_says_of_time() -> None:
    details = "Tls handshake failed: CERTIFICATE_VERIFY_FAILED: certificate is not yet valid: OK"
    assert explain_handshake(details).startswith("its certificate is not valid yet by this machine's clock")
    assert explain_handshake("Connection refused") == ""


def test_a_clock_that_is_set_changes_nothing_for_what_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    due, began = Due(datetime.now(UTC) + timedelta(seconds=100)), time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + 101)
    assert due.seconds_left < 0  # the wall clock says that 100 s are left
    assert due.or_at(datetime.now(UTC) + timedelta(seconds=5)) is due
    monkeypatch.setattr(time, "monotonic", lambda: began)
    assert due.or_at(datetime.now(UTC)).seconds_left <= 0
