"""Envoys, applications, sidecars and networks that go away: of a caller, and of one of two who answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.compose.faults.breaking import cut_off, kill_program
from e2e.compose.faults.measuring import measured
from e2e.compose.faults.places import CALLER, FRONT, PROXIES, TWIN, TWIN_APP
from e2e.compose.faults.standing import all_synced, gets_requests
from e2e.compose.project import Project
from e2e.compose.waiting import seconds_until, wait_for

# What an operator writes who has two of a service: silence is a failure, and what fails is tried elsewhere.
CAREFUL = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: careful, namespace: shop}
spec:
  host: storefront
  trafficPolicy:
    loadBalancer: {localityLbSetting: {enabled: false}} # else the other zone is there for emergencies alone
    connectionPool: {tcp: {connectTimeout: 1s}}
    outlierDetection: {consecutive5xxErrors: 5, interval: 1s, baseEjectionTime: 5s, maxEjectionPercent: 50}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: careful, namespace: shop}
spec:
  hosts: [storefront]
  http:
  - route: [{destination: {host: storefront}}]
    retries: {attempts: 2, perTryTimeout: 3s, retryOn: "gateway-error,reset,connect-failure,refused-stream"}
"""


@pytest.fixture
def careful(shop: Project) -> Iterator[Project]:
    """The shop with these documents."""
    with shop.changed("careful.yaml", CAREFUL):
        wait_for("all have their configuration", lambda: all_synced(shop, PROXIES))
        yield shop


def back(project: Project) -> float:
    """Seconds until the twin is asked again."""
    return seconds_until(f"{TWIN} is asked again", lambda: gets_requests(project, TWIN))


def test_the_envoy_of_a_caller_killed(shop: Project) -> None:
    with measured(shop, "Envoy killed", FRONT) as fault:
        fault.breaks()
        kill_program(shop, CALLER, "envoy")


def test_the_application_of_one_of_two_restarted(careful: Project) -> None:
    with measured(careful, "application restarted, one of two", FRONT) as fault:
        fault.breaks()
        careful.docker("restart", TWIN_APP, "--time", "1")
        fault.also_took(back(careful))


def test_the_sidecar_of_one_of_two_stopped_and_started(careful: Project) -> None:
    with measured(careful, "sidecar stopped and started, one of two", FRONT) as fault:
        fault.breaks()
        careful.docker("stop", TWIN, "--time", "20")
        start_twin(careful)
        fault.also_took(back(careful))


def test_the_sidecar_of_one_of_two_killed_and_started(careful: Project) -> None:
    with measured(careful, "sidecar killed and started, one of two", FRONT) as fault:
        fault.breaks()
        careful.docker("kill", TWIN)
        fault.wait_over()
        start_twin(careful)
        fault.also_took(back(careful))


def start_twin(project: Project) -> None:
    """Sidecar, and then the application, which has to join the sidecar's new namespace."""
    project.docker("start", TWIN)
    project.wait_healthy(TWIN)
    project.docker("restart", TWIN_APP, "--time", "1")


def test_the_network_of_one_of_two_cut(careful: Project) -> None:
    with measured(careful, "network of one of two cut", FRONT) as fault:
        fault.breaks()
        with cut_off(careful, TWIN):
            fault.wait_over()
        fault.also_took(back(careful))


def test_the_network_of_a_caller_cut(shop: Project) -> None:
    with measured(shop, "network of a caller cut", FRONT) as fault:
        with cut_off(shop, CALLER):
            fault.breaks()
            wait_for("requests fail", lambda: fault.is_failing)
            fault.mends()
        fault.also_took(seconds_until("all are synced", lambda: all_synced(shop, PROXIES)))
