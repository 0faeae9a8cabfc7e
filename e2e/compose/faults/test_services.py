"""What filters need, gone: their services, and the store that these count in. Closed is closed."""

from __future__ import annotations

from contextlib import ExitStack

from e2e.compose.faults.breaking import kill_program, killed
from e2e.compose.faults.measuring import measured
from e2e.compose.faults.places import LIMITS, ORDERS
from e2e.compose.project import Project
from e2e.compose.waiting import wait_for


def test_all_services_of_a_filter_killed(shop: Project) -> None:
    with measured(shop, "filter service killed", ORDERS) as fault, ExitStack() as stack:
        for each in LIMITS:
            stack.enter_context(killed(shop, each))
        fault.breaks()
        wait_for("requests are refused", lambda: fault.is_failing)
        fault.mends()


def test_one_of_two_services_of_a_filter_killed(shop: Project) -> None:
    with measured(shop, "filter service killed, one of two", ORDERS) as fault:
        fault.breaks()
        with killed(shop, LIMITS[0]):
            fault.wait_over()


def test_a_filter_beside_its_sidecar_killed(shop: Project) -> None:
    with measured(shop, "filter beside its sidecar killed", ORDERS) as fault:
        fault.breaks()
        for each in ("checkout-1", "checkout-2"):
            kill_program(shop, each, "meshext.hosts")


def test_redis_killed_and_started(shop: Project) -> None:
    with measured(shop, "Redis killed", ORDERS) as fault:
        fault.breaks()
        with killed(shop, "redis"):
            wait_for("requests are refused", lambda: fault.is_failing)
            fault.mends()
