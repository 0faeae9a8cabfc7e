"""Telemetry: what a workload's sidecar logs, traces and counts, resolved from all documents that apply.

The root namespace's documents come first, then the namespace's, then those that select the workload; a list
of providers that is not empty replaces the wider one. What is sent to a service that the mesh does not have
is left out: nobody is refused for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.telemetry import (
    AccessLogging,
    CustomTag,
    MetricOverride,
    Telemetry,
    Tracing,
)
from meshext_controlplane.model.workload import Workload

ENVOY = "envoy"
"""The access log provider that is there without being configured: lines on standard output."""


E = TypeVar("E", AccessLogging, Tracing)


class Side(Enum):
    """Which sidecar an entry is for: the caller's, or the one of what is called."""

    CLIENT = "CLIENT"
    SERVER = "SERVER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """Providers of access logs by name, each with the CEL expression that says what it gets ("" for all)."""

    providers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """How requests are traced: the provider ("" for none), how many percent, and tags by name."""

    provider: str = ""
    sampling: float = 0.0
    tags: Mapping[str, CustomTag] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Whether requests are counted, and what overrides say, later ones over earlier ones."""

    counted: bool = False
    overrides: tuple[MetricOverride, ...] = ()


def find_levels(mesh: Mesh, workload: Workload) -> list[Telemetry]:
    """The documents that apply to a workload, the widest first; of several in one scope the first."""
    root, own = mesh.config.root_namespace, workload.namespace
    documents = mesh.of(Telemetry)
    scopes = [
        [each for each in documents if each.metadata.namespace == root and not _selects(each)],
        [each for each in documents if own != root and each.metadata.namespace == own and not _selects(each)],
        [
            each
            for each in documents
            if each.metadata.namespace == own
            and each.spec.selector is not None
            and _selects(each)
            and each.spec.selector.selects(workload.labels)
        ],
    ]
    return [scope[0] for scope in scopes if scope]


def _selects(document: Telemetry) -> bool:
    return document.spec.selector is not None and bool(document.spec.selector.match_labels)


def resolve_logging(mesh: Mesh, levels: Iterable[Telemetry], side: Side) -> Logged:
    """The providers that get access logs."""
    active = dict.fromkeys(mesh.config.default_providers.access_logging, "")
    for level in levels:
        active = _log_level(active, _of_side(level.spec.access_logging, side))
    return Logged(providers=active)


def _log_level(active: dict[str, str], entries: Sequence[AccessLogging]) -> dict[str, str]:
    """What one document makes of the providers that wider ones have named."""
    named = [entry for entry in entries if entry.providers and not entry.disabled]
    if named:
        active = {
            provider.name: entry.filter.expression if entry.filter else ""
            for entry in named
            for provider in entry.providers
        }
    for entry in entries:
        if entry.disabled:
            gone = {provider.name for provider in entry.providers} or set(active)
            active = {name: expression for name, expression in active.items() if name not in gone}
        elif not entry.providers:
            expression = entry.filter.expression if entry.filter else ""
            active = dict.fromkeys(active or (ENVOY,), expression)
    return active


def resolve_tracing(mesh: Mesh, levels: Iterable[Telemetry], side: Side) -> Traced:
    """Where spans go, and of how many requests."""
    config = mesh.config
    provider = next(iter(config.default_providers.tracing), "")
    sampling, tags, reported = config.tracing.sampling, dict[str, CustomTag](), config.enable_tracing
    for level in levels:
        for entry in _of_side(level.spec.tracing, side):
            provider = entry.providers[0].name if entry.providers else provider
            if entry.random_sampling_percentage is not None:
                sampling = entry.random_sampling_percentage
            if entry.disable_span_reporting is not None:
                reported = not entry.disable_span_reporting
            tags = entry.custom_tags or tags
    return Traced(provider=provider if reported else "", sampling=sampling, tags=tags)


def resolve_metrics(mesh: Mesh, levels: Iterable[Telemetry], side: Side) -> Counted:
    """Whether requests are counted, and with which tags."""
    providers: Sequence[str] = mesh.config.default_providers.metrics
    overrides: list[MetricOverride] = []
    for level in levels:
        for entry in level.spec.metrics:
            if entry.providers:
                providers, overrides = [each.name for each in entry.providers], []
            overrides += [each for each in entry.overrides if _is_for(each.match.mode, side)]
    return Counted(counted=bool(providers), overrides=tuple(overrides))


def _of_side(entries: Sequence[E], side: Side) -> list[E]:
    return [entry for entry in entries if _is_for(entry.match.mode, side)]


def _is_for(mode: str, side: Side) -> bool:
    return mode in ("CLIENT_AND_SERVER", side.value)
