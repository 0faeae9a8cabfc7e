"""`authorization-policy`, compiled from the files that run as a service: every class of bypass, what Envoy
knows of a request, and what is logged, as in `test_authorization_policy` and `test_authorization_inputs`."""

from __future__ import annotations

import pytest

from e2e.inside import MINUTES
from e2e.test_authorization_inputs import (
    Shop,
    shop,
    test_another_name_and_no_certificate,
    test_what_envoy_knows_reaches_the_decision,
    test_what_is_otherwise_is_refused,
)
from e2e.test_authorization_policy import (
    ground,
    test_row,
    test_what_is_allowed_passes,
)
from meshext.plan import Mode

__all__ = [
    "ground",
    "shop",
    "test_another_name_and_no_certificate",
    "test_row",
    "test_what_envoy_knows_reaches_the_decision",
    "test_what_is_allowed_passes",
    "test_what_is_otherwise_is_refused",
]

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(MINUTES * 60)]


@pytest.fixture(scope="module")
def mode() -> Mode:
    return "wasm"


def test_the_access_log_has_who_refused_and_what_audits_and_dry_runs_say(shop: Shop) -> None:
    """Lines of the filter's own are at INFO, where Envoy's log leaves out what modules say."""
    assert shop.status("told?x=2") == 200
    line = shop.stage.logged("access", "GET /told?x=2")
    assert '"audit":["ns[shop]-policy[log]-rule[0]"]' in line
    assert '"dry_run":"denied"' in line
    assert '"dry_run_policy":"ns[shop]-policy[soon]-rule[0]"' in line
    assert shop.status("nothing") == 403
    assert shop.stage.logged("access", "GET /nothing", "rbac_access_denied_matched_policy[none]")
