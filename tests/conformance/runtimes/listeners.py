"""One bootstrap for many cases: what our generator makes for a plan, with names filled in.

The generator takes 0.15 s for a plan, and most plans differ in the filters' names alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from meshext.envoy.bootstrap import LISTENER, Gateway, build_bootstrap
from meshext.envoy.emit import to_data
from meshext.envoy.routes import Match, Route
from meshext.envoy.service_cluster import CLUSTER, Backend
from meshext.envoy.upstreams import UnixAddress, Upstream
from meshext.envoy.wasm_filter import FILTER, Module
from meshext.needs import Needs
from meshext.plan import Plan, build_plan
from tests.conformance.case import DEAD, LATER

ROUTES = (
    Route("other", Match(prefix="/", headers={LATER: "other"}), "other"),
    Route(DEAD, Match(prefix="/", headers={LATER: DEAD}), DEAD),
    Route("main", Match(prefix="/"), "main"),
)
OWN = "service-of-"
SOCKET = "/placeholder-for-the-socket"
MACHINE = "conformance"
"""The virtual machine that all cases share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """Where a plan's filters run: one of the two."""

    service: Backend | None = None
    module: Module | None = None


class Listeners:
    """Gathers a listener for each case, and a service's cluster where it has one."""

    def __init__(self, upstreams: tuple[Upstream, ...], admin: Path) -> None:
        self._upstreams = upstreams
        self._admin = admin
        self._made: dict[tuple[Plan, Behind], str] = {}
        self._whole: dict[str, Any] = {}

    def add(self, name: str, plan: Plan, socket: str) -> None:
        """A listener of that name in front of the service on that socket."""
        text = self._text(plan, Behind(service=Backend(addresses=(UnixAddress(SOCKET),))))
        cluster = f"{OWN}{name}"
        text = text.replace(SOCKET, socket)
        text = text.replace(f'"cluster_name": "{CLUSTER}"', f'"cluster_name": "{cluster}"')
        data = json.loads(text)
        for each in data["static_resources"]["clusters"]:
            if each["name"] == CLUSTER:
                each["name"] = cluster
        self._merge(name, data)

    def add_module(self, name: str, plan: Plan, file: Path, configuration: str, *, writes: bool) -> None:
        """A listener of that name with the module in that file; all share one virtual machine.

        `writes`: a filter of the chain writes metadata.
        """
        module = Module(
            name=MACHINE,
            file=str(file),
            configuration="{}",
            reads_peer=True,
            written_namespaces=without_names(plan)[0].written_namespaces if writes else (),
            writes_late="stream" in (plan.request_body, plan.response_body),
        )
        data = json.loads(self._text(as_module_plan(plan), Behind(module=module)))
        for each in http_filters(data):
            if each["name"] == FILTER:
                plugin = each["typed_config"]["config"]
                plugin |= {"name": name, "root_id": name}
                plugin["configuration"]["value"] = configuration
                plugin["vm_config"]["vm_id"] = MACHINE
        self._merge(name, data)

    def to_json(self) -> str:
        """The whole bootstrap."""
        return json.dumps(self._whole)

    def _text(self, plan: Plan, behind: Behind) -> str:
        plain, names = without_names(plan)
        key = plain, behind
        if key not in self._made:
            self._made[key] = self._make(plain, behind)
        text = self._made[key]
        for placeholder, own in names.items():
            text = text.replace(placeholder, own)
        return text

    def _make(self, plan: Plan, behind: Behind) -> str:
        gateway = Gateway(
            upstreams=self._upstreams,
            admin=self._admin,
            plan=plan,
            service=behind.service,
            module=behind.module,
            routes=ROUTES,
        )
        data = to_data(build_bootstrap(gateway))
        assert data["static_resources"]["listeners"][0]["name"] == LISTENER
        return json.dumps(data)

    def _merge(self, name: str, data: dict[str, Any]) -> None:
        data["static_resources"]["listeners"][0]["name"] = name
        if not self._whole:
            self._whole = data
            return
        own = data["static_resources"]
        whole = self._whole["static_resources"]
        whole["listeners"] += own["listeners"]
        whole["clusters"] += [each for each in own["clusters"] if each["name"].startswith(OWN)]


def http_filters(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The HTTP filters of the one listener."""
    [chain] = data["static_resources"]["listeners"][0]["filter_chains"]
    [manager] = chain["filters"]
    found: list[dict[str, Any]] = manager["typed_config"]["http_filters"]
    return found


def as_module_plan(plan: Plan) -> Plan:
    """The plan with only what says something about a listener that has a module."""
    bare = build_plan([Needs(name="placeholder", hooks=frozenset(), max_body=plan.max_body)], "wasm")
    return replace(bare, written_namespaces=plan.written_namespaces)


def without_names(plan: Plan) -> tuple[Plan, Mapping[str, str]]:
    """The plan with a placeholder for each namespace of a filter, and what they stand for."""
    names = {
        f"meshext.placeholder-{at}": namespace
        for at, namespace in enumerate(plan.written_namespaces)
        if "." in namespace
    }
    rest = tuple(namespace for namespace in plan.written_namespaces if "." not in namespace)
    return replace(plan, filters=("placeholder",), written_namespaces=(*names, *rest)), names
