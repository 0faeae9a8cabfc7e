"""A running mesh checked in stages. Pure: what was seen comes in, results go out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from meshext.cli.stages import Level, Result, Stage
from meshext_controlplane.analysis.analyze import analyze
from meshext_controlplane.analysis.messages import Severity
from meshext_controlplane.identity.holdings import Holding, Holdings
from meshext_controlplane.inspection.cautions import tell_finding
from meshext_controlplane.inspection.probing import Place, Probe
from meshext_controlplane.inspection.view import SETTLED, ProxyState, View, node_id
from meshext_controlplane.model.workload import State, Workload
from meshext_controlplane.translate.catalog import Catalog
from meshext_controlplane.translate.membership import Membership
from meshext_controlplane.translate.peer_authentication import MtlsMode, MtlsModes
from meshext_controlplane.translate.policies import Policies
from meshext_controlplane.translate.services import MeshPort, MeshService, Resolution

SOON = timedelta(days=30)
"""An authority has to be followed by another one before it has less than this left."""

SUCCESSORS = {
    "root": "begin with its successor now: `meshext certs rotate-root`",
    "issuing": "it is renewed by itself where its root's key is here; else bring a new one",
}

LATE, TOO_LATE = 1 / 3, 1 / 10
"""Of a certificate's life: it is renewed at half; with less left its holder has tried for long or is gone."""

OK, WARNING, FAILED = Level.OK, Level.WARNING, Level.FAILED

_LEVELS = {Severity.ERROR: FAILED, Severity.WARNING: WARNING}

_PROBES = {
    Probe.REFUSED: (OK, ""),
    Probe.ANSWERED: (FAILED, "something else than its sidecar listens there; see what does, and stop it"),
    Probe.UNREACHABLE: (WARNING, "nothing listens there, or this machine has no way to it"),
    Probe.SILENT: (WARNING, "a sidecar closes at once; see what listens there"),
}


def check_control_plane(view: View) -> Stage:
    """It has answered; whether it serves what is written."""
    ready = (
        Result(OK, "serves the last configuration")
        if view.ready
        else Result(FAILED, "has not loaded its configuration yet", "see its log; ask again in a moment")
    )
    return Stage("control plane", (Result(OK, "answers on its local socket"), ready))


def check_configuration(view: View) -> Stage:
    """What is refused, and what is therefore held."""
    failed = [split_problem(line) for line in view.problems]
    held = [
        Result(WARNING, line, "correct the document, and it is served as it is written") for line in view.held
    ]
    number = len(view.places)
    return Stage("configuration", (*failed, *held) or (Result(OK, f"all {number} documents are in force"),))


def split_problem(line: str) -> Result:
    """A problem as the control plane tells it: what stands behind the last `; ` is the hint."""
    text, _, hint = line.rpartition("; ")
    return Result(FAILED, text or line, hint if text else "correct the document")


def check_authority(holdings: Holdings, now: datetime) -> Stage:
    """Roots and issuing certificates; one that has expired matters where no other of its role lives."""
    results = []
    living = {each.role for each in holdings.authorities if each.not_after > now}
    for each in holdings.authorities:
        left = each.not_after - now
        if left <= timedelta() and each.role in living:
            continue
        told = f"{each.role} certificate {each.fingerprint[:16]}: until {each.not_after:%Y-%m-%d}"
        if left <= timedelta():
            results.append(Result(FAILED, told, "it has expired: see `meshext certs rotate-root --help`"))
        elif left < SOON:
            hint = SUCCESSORS.get(each.role, "")
            results.append(Result(WARNING, f"{told}, {max(left.days, 0)} days left", hint))
        else:
            results.append(Result(OK, told))
    missing = Result(FAILED, "there is none", "start a control plane on this state directory")
    return Stage("authority", tuple(results) or (missing,))


def list_strict(view: View) -> list[tuple[Workload, int]]:
    """The ports that must refuse plain text."""
    modes = MtlsModes(view.mesh)
    return [
        (workload, port.number)
        for workload in view.mesh.workloads
        for port in workload.ports
        if modes.of(workload, port.number) is MtlsMode.STRICT
    ]


def check_workloads(
    view: View, holdings: Holdings, probes: Mapping[Place, Probe], now: datetime
) -> Iterator[Stage]:
    """A stage for each workload."""
    modes = MtlsModes(view.mesh)
    if not view.mesh.workloads:
        hint = "start one: `meshext token create`, then `meshext sidecar`"
        yield Stage("workloads", (Result(WARNING, "none has registered", hint),))
    for workload in view.mesh.workloads:
        proxy = view.proxy_of(workload)
        strict = {
            port.number for port in workload.ports if modes.of(workload, port.number) is MtlsMode.STRICT
        }
        results = [
            check_state(workload),
            *check_proxy(workload, proxy),
            *check_certificate(workload, proxy, holdings, now),
            *check_ports(workload, strict, probes),
        ]
        yield Stage(f"workload {workload.namespace}/{workload.name}", tuple(results))


def check_state(workload: Workload) -> Result:
    """Whether peers may call it."""
    if workload.state is State.READY:
        return Result(OK, "has registered and is READY")
    if workload.state is State.DRAINING:
        return Result(WARNING, "is DRAINING: it is about to stop", "nothing, where that is meant")
    return Result(FAILED, "is UNREADY: peers send it no requests", "see its readiness probe and its log")


def check_proxy(workload: Workload, proxy: ProxyState | None) -> Iterator[Result]:
    """Whether its Envoy is connected and has all that it shall have."""
    if proxy is None:
        hint = "is its sidecar running, and can it reach the control plane? Its log says more"
        yield Result(FAILED, "its proxy is not connected", hint)
        return
    name = node_id(workload)
    if proxy.problem:
        yield Result(FAILED, f"its proxy is not served the newest: {proxy.problem}", "see the last edit")
    for kind, each in proxy.types.items():
        if each.state == "NACKED":
            what = ", ".join(each.refused) or "a resource"
            hint = f"take the edit back that made it; `meshext proxy-status {name}` shows when"
            yield Result(FAILED, f"its proxy refuses {kind} {what}: {each.error}", hint)
        elif each.state not in SETTLED:
            hint = f"ask again in a moment; where it stays so, see `meshext proxy-status {name}`"
            yield Result(WARNING, f"its proxy has not answered to {kind} yet", hint)
    yield from check_filters(proxy)
    if proxy.synced:
        yield Result(OK, f"its proxy is connected and SYNCED, Envoy {proxy.envoy}")


def check_filters(proxy: ProxyState) -> Iterator[Result]:
    """Whether the filters beside it serve. Those that are held came after it had begun to serve."""
    hint = "ask again in a moment; where it stays so, its sidecar's log says why the service does not start"
    for name, held in proxy.missing.items():
        told = f"filter {name.removeprefix('/')} does not serve: "
        if held:
            yield Result(FAILED, f"{told}requests are answered without it, as before it was written", hint)
        else:
            yield Result(FAILED, f"{told}the workload is not ready", hint)


def check_certificate(
    workload: Workload, proxy: ProxyState | None, holdings: Holdings, now: datetime
) -> Iterator[Result]:
    """The certificate that its proxy has now: renewals of the one that its stream began with."""
    if proxy is None:
        return
    began = next((each for each in holdings.certificates if each.serial == proxy.serial), None)
    held = [each for each in holdings.certificates if began is not None and is_renewal(each, began)]
    if not held:
        hint = "its renewals fail; its log says why. `meshext token create` lets it join again"
        yield Result(FAILED, f"holds no certificate for {workload.identity} that is valid", hint)
        return
    newest = max(held, key=lambda each: each.not_after)
    left = (newest.not_after - now) / (newest.not_after - newest.issued)
    told = f"certificate until {newest.not_after:%Y-%m-%d %H:%M} UTC"
    if newest.banned:
        yield Result(FAILED, f"{told} is banned", "`meshext ban --help` says how that is taken back")
    elif left < LATE:
        hint = "it should have been renewed at half its life; its log says why not"
        yield Result(FAILED if left < TOO_LATE else WARNING, f"{told}: {left:.0%} of its life left", hint)
    else:
        yield Result(OK, f"{told}: {left:.0%} of its life left")


def is_renewal(one: Holding, began: Holding) -> bool:
    """Whether a certificate is of the same holder: what began with one token."""
    return (one.identity, one.token) == (began.identity, began.token)


def check_ports(workload: Workload, strict: set[int], probes: Mapping[Place, Probe]) -> Iterator[Result]:
    """What a stranger sees of its ports."""
    for port in workload.ports:
        found = probes.get((workload.address, port.number))
        if port.number in strict and found is not None:
            level, hint = _PROBES[found]
            yield Result(level, f"STRICT port {port.number} {found.value} at {workload.address}", hint)
        if not port.application.startswith("unix:"):
            told = f"the application behind port {port.number} listens at {port.application}"
            hint = "programs there can go round the sidecar; let it listen on a Unix socket"
            yield Result(WARNING, told, hint)


def check_services(view: View) -> Stage:
    """Whether somebody is behind each port of each service."""
    catalog = Catalog(view.mesh)
    membership = Membership(catalog, view.mesh.workloads, Policies(view.mesh))
    asked = [each for each in catalog.services if each.resolution is Resolution.ENDPOINTS]
    results = [check_endpoints(each, port, membership) for each in asked for port in each.ports]
    return Stage("services", tuple(results) or (Result(OK, "none is written"),))


def check_endpoints(service: MeshService, port: MeshPort, membership: Membership) -> Result:
    """One port of a service."""
    endpoints = membership.endpoints(service, port)
    ready = [each for each in endpoints if each.state is State.READY]
    name = f"{service.host}:{port.number}"
    if ready:
        return Result(OK, f"{name}: {len(ready)} of {len(endpoints)} endpoints ready")
    if endpoints:
        return Result(WARNING, f"{name}: none of its {len(endpoints)} endpoints is ready", "see above")
    wanted = ", ".join(f"{key}={value}" for key, value in service.selector.items())
    hint = (
        f"no workload in {service.namespace} has {wanted} and port {port.target}" if wanted else "list some"
    )
    return Result(WARNING, f"{name}: no endpoints", hint)


def check_findings(view: View) -> Stage:
    """What analysis says of documents, remarks left out."""
    found = [message for message in analyze(view.mesh) if message.severity in _LEVELS]
    results: Iterable[Result] = (
        Result(_LEVELS[each.severity], tell_finding(view, each), each.hint) for each in found
    )
    return Stage("analysis", tuple(results) or (Result(OK, "nothing found"),))
