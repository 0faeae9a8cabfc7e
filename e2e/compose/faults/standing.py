"""How the mesh stands: whom its control plane serves, who refuses what, whose sidecar gets requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from e2e.compose.project import ComposeError, Project, run

STATE = "/state/mesh"
_FINE = frozenset({"SYNCED", "NOT SENT"})
_COMPLETED = r"^http\.inbound.*\.downstream_rq_completed$"


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy: the state of each type, and what it refuses with its reason."""

    name: str
    states: Mapping[str, str]
    refusals: Mapping[str, tuple[tuple[str, ...], str]]

    @property
    def is_synced(self) -> bool:
        """Whether it has said yes to all that it shall have."""
        return set(self.states.values()) <= _FINE and "SYNCED" in self.states.values()


def parse_status(said: str) -> dict[str, Proxy]:
    """What `meshext proxy-status --json` has printed."""
    found = {}
    for each in json.loads(said):
        types = each["types"]
        refused = {
            kind: (tuple(part["refused"]), str(part["error"]))
            for kind, part in types.items()
            if part["state"] == "NACKED"
        }
        states = {kind: str(part["state"]) for kind, part in types.items()}
        found[each["proxy"]] = Proxy(each["proxy"], states, refused)
    return found


def proxies(project: Project) -> dict[str, Proxy]:
    """Every connected proxy; {} while no control plane answers."""
    command = f"meshext proxy-status --json --state {STATE} || [ $? = 1 ]"  # 1 is a refusal, or nobody there
    try:
        said = project.exec("control-plane", "sh", "-c", command)
    except ComposeError:  # the container does not run
        return {}
    return parse_status(said) if said.strip() else {}


def all_synced(project: Project, names: frozenset[str]) -> bool:
    """Whether these proxies, and others that are there, have said yes to everything."""
    found = proxies(project)
    return names <= found.keys() and all(each.is_synced for each in found.values())


def gets_requests(project: Project, sidecar: str) -> bool:
    """Whether a sidecar has ended requests from others while we looked."""
    try:
        before, after = (sum(project.stats(sidecar, _COMPLETED).values()) for _ in range(2))
    except ComposeError:  # its container does not run, or its Envoy does not
        return False
    return after > before


def says(project: Project, service: str, text: str) -> bool:
    """Whether that is in the output of a container, whichever way it came."""
    command = f"docker logs --tail 500 {project.container(service)} 2>&1"
    return text in run(["sh", "-c", command])
