"""The control plane away, without its state, and given what can not be served: nobody's requests notice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from e2e.compose.faults.breaking import beside, kill_program, killed, wait_exit
from e2e.compose.faults.guest import joined
from e2e.compose.faults.measuring import measured
from e2e.compose.faults.places import CALLER_APP, FRONT, GUEST, ORDERS, PROXIES, SERVER, VISITS
from e2e.compose.faults.standing import STATE, all_synced, gets_requests, proxies, says
from e2e.compose.project import Project
from e2e.compose.waiting import seconds_until, wait_for

AWAY = 60.0  # seconds without a control plane
BACKUP = "/state/backup.db"
TEA = "http://storefront/tea"
ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tea, namespace: shop}
spec:
  hosts: [storefront]
  http:
  - match: [{uri: {regex: "%s"}}]
    directResponse: {status: 418}
  - route: [{destination: {host: storefront}}]
"""
# RE2 has no room for it, which our reading does not know.
UNSERVABLE, REASON = ROUTE % "/((([a-z]{90}){90}){90})", "invalid repetition size: {90}"
# A word that is none, and in the same file a document that is right.
INVALID = (
    """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody, namespace: shop}
spec: {action: DENNY, rules: [{}]}
---
"""
    + ROUTE % "/tea"
)


@pytest.fixture
def calm(shop: Project) -> Iterator[Project]:
    """The shop with all proxies synced, before and after."""
    wait_for("all have their configuration", lambda: all_synced(shop, PROXIES))
    yield shop
    if not shop.is_running("control-plane"):
        shop.docker("start", "control-plane")
    wait_for("all have it again", lambda: all_synced(shop, PROXIES))


def test_killed_for_a_minute_and_started_again(calm: Project) -> None:
    """In that minute an Envoy is killed as well: its agent starts another one without a control plane."""
    with measured(calm, "control plane killed for a minute", VISITS) as fault:
        fault.breaks()
        with killed(calm, "control-plane"):
            with measured(calm, "Envoy killed, without a control plane", ORDERS) as alone:
                alone.breaks()
                kill_program(calm, SERVER, "envoy")
                alone.also_took(seconds_until("it is asked again", lambda: gets_requests(calm, SERVER)))
            wait_for("a minute of requests", lambda: fault.seconds >= AWAY, patience=2 * AWAY)
            fault.mends()
        fault.also_took(seconds_until("all proxies are back", lambda: all_synced(calm, PROXIES)))


def test_its_state_lost_and_restored_from_a_backup(calm: Project) -> None:
    calm.meshext("backup", BACKUP)
    with _restored_at_last(calm), measured(calm, "state lost, restored from a backup", ORDERS) as fault:
        fault.breaks()
        calm.docker("kill", "control-plane")
        beside(calm, "control-plane", "rm", "-r", STATE)
        calm.docker("start", "control-plane")
        assert wait_exit(calm, "control-plane") == 2  # a second mesh would strand everybody
        assert says(calm, "control-plane", "a control plane has run here")
        fault.mends()
        beside(calm, "control-plane", "meshext", "restore", BACKUP, f"--state={STATE}")
        calm.docker("start", "control-plane")
        fault.also_took(seconds_until("all proxies are back", lambda: all_synced(calm, PROXIES)))
        with joined(calm, GUEST):
            wait_for("one that has come since is asked", lambda: gets_requests(calm, GUEST.name))


@contextlib.contextmanager
def _restored_at_last(project: Project) -> Iterator[None]:
    """Whatever fails between: other cases need the mesh as it was."""
    try:
        yield
    except BaseException:
        project.docker("stop", "control-plane")
        beside(project, "control-plane", "sh", "-c", f"meshext restore {BACKUP} --state={STATE} || :")
        project.docker("start", "control-plane")
        raise
    finally:
        beside(project, "control-plane", "rm", "-f", BACKUP)


def test_a_route_that_envoy_refuses(calm: Project) -> None:
    def refusal() -> str:
        refused = proxies(calm)["customers.shop"].refusals.get("RDS")
        return refused[1] if refused else ""

    with measured(calm, "route that Envoy refuses", FRONT, ORDERS) as fault:
        fault.breaks()
        with calm.changed("tea.yaml", UNSERVABLE):
            fault.also_took(seconds_until("its refusal is shown", refusal))
            assert refusal() == REASON
            fault.mends()
        fault.also_took(seconds_until("all are synced again", lambda: all_synced(calm, PROXIES)))


def test_an_invalid_document(calm: Project) -> None:
    def tea() -> int:
        return int(calm.call(CALLER_APP, TEA).get("status", 0))

    with measured(calm, "invalid document", FRONT, ORDERS) as fault:
        fault.breaks()
        with calm.changed("tea.yaml", INVALID):
            told = seconds_until("it is told", lambda: says(calm, "control-plane", "'DENNY'"))
            fault.also_took(told)
            wait_for("the other one counts", lambda: tea() == 418)
            assert all_synced(calm, PROXIES)
            fault.mends()
        wait_for("both are gone", lambda: tea() == 404)
