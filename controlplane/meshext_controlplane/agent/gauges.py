"""How a sidecar stands, as numbers for Prometheus: its certificate, its parts, what it has told."""

from __future__ import annotations

from datetime import UTC, datetime

from meshext.series import Key
from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.envoy import EnvoyKeeper
from meshext_controlplane.agent.filters import FilterKeeper
from meshext_controlplane.agent.last_good import LastGood
from meshext_controlplane.agent.metrics import Counts, single
from meshext_controlplane.agent.registration import Registration
from meshext_controlplane.model.workload import State


def show_certificate(counts: Counts, credentials: Credentials) -> None:
    """What is left of the certificate, and whom it trusts."""

    def left() -> float:
        return credentials.svid.seconds_left(datetime.now(UTC))

    def roots() -> float:
        return len(credentials.svid.roots)

    counts.gauge("certificate_seconds_left", "Until the certificate expires; below 0 it has.", single(left))
    counts.gauge("trusted_roots", "Roots that peers' certificates may come from.", single(roots))


def show_parts(counts: Counts, envoy: EnvoyKeeper, filters: FilterKeeper, last_good: LastGood) -> None:
    """What runs, and what is kept for a start without the control plane."""

    def serving() -> dict[Key, float]:
        return {(name,): float(serves) for name, serves in filters.serving.items()}

    def held() -> dict[Key, float]:
        return {(name,): float(name in filters.held) for name in filters.serving}

    counts.gauge("filter_held", "1 while Envoy does not ask a filter yet.", held, "filter")
    counts.gauge("envoy_up", "1 while Envoy runs with configuration.", single(lambda: float(envoy.ready)))
    counts.gauge("filter_up", "1 while a filter beside the sidecar serves.", serving, "filter")
    counts.gauge("last_good_resources", "Resources that Envoy has taken.", single(lambda: len(last_good)))


def show_registration(counts: Counts, registration: Registration) -> None:
    """How the workload is, and whether the control plane knows."""

    def states() -> dict[Key, float]:
        return {(each.name,): float(each is registration.state) for each in State}

    def known() -> float:
        return float(registration.known is registration.state)

    def skew() -> float:
        return registration.skew.seconds

    counts.gauge("clock_skew_seconds", "Our clock ahead of the control plane's.", single(skew))
    counts.gauge("workload_state", "1 for the workload's state.", states, "state")
    counts.gauge("registered", "1 while the control plane has confirmed that state.", single(known))
