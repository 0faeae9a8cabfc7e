"""A VirtualService with another weight for its canary, and the mark that a rollout is under way in it.

Weight and mark are in one document, so that whoever goes on after a crash finds both or neither.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import yaml

from meshext.config import Document, parse_documents
from meshext_controlplane.model.hosts import qualify_host
from meshext_controlplane.rollout.course import WHOLE
from meshext_controlplane.rollout.errors import RolloutError
from meshext_controlplane.rollout.pilot import Standing

MARK = "meshext.dev/rollout"
"""The annotation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What is shifted: from one subset of a host to another; `host` is its whole name."""

    host: str
    stable: str
    canary: str


@dataclass(frozen=True, slots=True)
class Shifting:
    """A VirtualService as plain data, and the versions that share its requests."""

    document: dict[str, Any]
    versions: Versions

    def standing(self) -> Standing | None:
        """Where a rollout of this canary is; None where there is none. RolloutError where another one is."""
        text = self._annotations().get(MARK)
        if text is None:
            return None
        try:
            mark = json.loads(text)
            canary, standing = (
                mark["canary"],
                Standing(weight=int(mark["weight"]), since=float(mark["since"])),
            )
        except (ValueError, KeyError, TypeError):
            raise RolloutError(f"annotation {MARK}: {text!r:.60} is not ours; remove it") from None
        if canary != self.versions.canary:
            raise RolloutError(f"a rollout of subset {canary} is under way; end it first (--abort)")
        return standing

    def weight(self) -> int:
        """The canary's weight now, in per cent of both."""
        route = next(shared_routes(self.document, self.versions))
        weights = {subset_of(each): each.get("weight", 0) for each in route}
        if len(route) == 1:
            return WHOLE if subset_of(route[0]) == self.versions.canary else 0
        total = sum(weights.values())
        return round(WHOLE * weights.get(self.versions.canary, 0) / total) if total else 0

    def at(self, standing: Standing) -> Shifting:
        """With this weight for the canary, the rest for the stable version, and the mark."""
        mark = {"canary": self.versions.canary, "weight": standing.weight, "since": round(standing.since, 3)}
        return self._weighed(standing.weight, json.dumps(mark))

    def ended(self, weight: int) -> Shifting:
        """With this weight for the canary, and no rollout any more."""
        return self._weighed(weight, None)

    def to_text(self) -> str:
        """YAML; JSON where YAML would be read as something else (`1e3` in quotes, say)."""
        plain = plain_numbers(self.document)
        text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
        return text if parse_documents(Document(text)) == [plain] else json.dumps(plain, indent=2)

    def _annotations(self) -> dict[str, str]:
        found: dict[str, str] = self.document["metadata"].get("annotations") or {}
        return found

    def _weighed(self, weight: int, mark: str | None) -> Shifting:
        document = copy.deepcopy(self.document)
        for route in shared_routes(document, self.versions):
            set_weights(route, self.versions, weight)
        annotations = {name: text for name, text in self._annotations().items() if name != MARK}
        if mark is not None:
            annotations[MARK] = mark
        document["metadata"].pop("annotations", None)
        if annotations:
            document["metadata"]["annotations"] = annotations
        return replace(self, document=document)


def read_shifting(text: str, *, canary: str, stable: str = "", host: str = "") -> Shifting:
    """From a document's text; what is not given is found where there is no choice. RolloutError else."""
    (document,) = parse_documents(Document(text, "the VirtualService"))
    assert isinstance(document, dict)
    plain: dict[str, Any] = document
    namespace = plain["metadata"].get("namespace", "default")
    named = qualify_host(host, namespace) if host else only_host(plain, namespace)
    found = Versions(host=named, stable=stable, canary=canary)
    versions = replace(found, stable=stable or only_stable(plain, found))
    if versions.stable == canary:
        raise RolloutError(f"subset {canary} is canary and stable; name the other one with --stable")
    for route in shared_routes(plain, versions):
        check_shared(route, versions)
    return Shifting(plain, versions)


def only_host(document: dict[str, Any], namespace: str) -> str:
    """The host of all destinations."""
    hosts = {qualify_host(host_of(each), namespace) for route in routes(document) for each in route}
    if len(hosts) != 1:
        told = ", ".join(sorted(hosts)) or "none"
        raise RolloutError(f"its HTTP routes lead to several hosts or none ({told}); name one with --host")
    return hosts.pop()


def only_stable(document: dict[str, Any], versions: Versions) -> str:
    """The one subset beside the canary."""
    found = {
        subset_of(each)
        for route in shared_routes(document, versions)
        for each in route
        if subset_of(each) != versions.canary
    }
    if len(found) != 1:
        told = ", ".join(sorted(found)) or "none"
        raise RolloutError(f"beside {versions.canary} there are several subsets or none ({told}): --stable")
    return found.pop()


def routes(document: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """The destinations of each HTTP route that has some."""
    yield from (route["route"] for route in document["spec"].get("http") or [] if route.get("route"))


def shared_routes(document: dict[str, Any], versions: Versions) -> Iterator[list[dict[str, Any]]]:
    """The routes to the host that the stable version is in; one to the canary alone (a header's, say) stays.

    RolloutError where there is none.
    """
    namespace = document["metadata"].get("namespace", "default")
    found = 0
    for route in routes(document):
        if any(qualify_host(host_of(each), namespace) != versions.host for each in route):
            continue
        if all(subset_of(each) == versions.canary for each in route) and versions.stable != versions.canary:
            continue
        found += 1
        yield route
    if not found:
        raise RolloutError(f"no HTTP route leads to {versions.host} alone; see `meshext get virtualservice`")


def check_shared(route: list[dict[str, Any]], versions: Versions) -> None:
    """Nothing but the two versions; RolloutError else."""
    if not all(map(subset_of, route)):
        raise RolloutError("a destination without subset has every version, the canary too; give it one")
    others = sorted({subset_of(each) for each in route} - {versions.stable, versions.canary})
    if others:
        known = f"{versions.stable} and {versions.canary}"
        raise RolloutError(f"a route also has subset {', '.join(others)}; a rollout is between {known}")


def set_weights(route: list[dict[str, Any]], versions: Versions, weight: int) -> None:
    """The canary's weight in per cent, and the rest for the stable version; both are there from then on."""
    model = next(each for each in route if subset_of(each) == versions.stable)
    if not any(subset_of(each) == versions.canary for each in route):
        route.append({"destination": {**model["destination"], "subset": versions.canary}})
    for each in route:
        each["weight"] = weight if subset_of(each) == versions.canary else WHOLE - weight


def host_of(destination: dict[str, Any]) -> str:
    """The host of one destination, as it is written."""
    host: str = destination["destination"]["host"]
    return host


def subset_of(destination: dict[str, Any]) -> str:
    """Its subset; "" for all endpoints of the host."""
    subset: str = destination["destination"].get("subset", "")
    return subset


def plain_numbers(value: Any) -> Any:
    """The same without our own kinds of numbers."""
    if isinstance(value, dict):
        return {name: plain_numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain_numbers(each) for each in value]
    return float(value) if isinstance(value, float) else value
