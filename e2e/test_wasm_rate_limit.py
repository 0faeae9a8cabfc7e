"""`rate-limit`, compiled from the files that run as a service, inside Envoy: counted in its shared data."""

from __future__ import annotations

import pytest

from e2e.inside import MINUTES
from e2e.test_rate_limit import (
    test_callers_by_certificate,
    test_callers_by_claim,
    test_limits_fields_overrides_and_a_dry_run,
)
from meshext.plan import Mode

__all__ = [
    "test_callers_by_certificate",
    "test_callers_by_claim",
    "test_limits_fields_overrides_and_a_dry_run",
]

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(MINUTES * 60)]


@pytest.fixture
def mode() -> Mode:
    return "wasm"
