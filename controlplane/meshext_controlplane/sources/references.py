"""What documents say about each other: checked over all of them at once.

Only what can never work is refused here; what may be meant (a host that nobody knows yet) is advice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from meshext.config.places import Path
from meshext_controlplane.model.mesh_config import MeshConfig
from meshext_controlplane.model.telemetry import AccessLogging, Metrics, Telemetry, Tracing
from meshext_controlplane.sources import traffic_references
from meshext_controlplane.sources.places import Broken, Key, Placed, show_key

Check = Callable[[Mapping[Key, Placed], Mapping[Key, Placed]], Iterator[Broken]]
"""What is wrong with documents; `before` are those that were in force, since what is gone may be to blame."""


def find_broken(documents: Mapping[Key, Placed], before: Mapping[Key, Placed]) -> list[Broken]:
    """Everything that does not hold."""
    return [broken for check in CHECKS for broken in check(documents, before)]


def check_one_config(documents: Mapping[Key, Placed], _before: Mapping[Key, Placed]) -> Iterator[Broken]:
    """A mesh has one MeshConfig; the first by place is the one."""
    found = sorted(
        (placed for placed in documents.values() if isinstance(placed.document, MeshConfig)),
        key=lambda placed: placed.order,
    )
    first = f"{show_key(found[0].key)} in {found[0].place}" if len(found) > 1 else ""
    for placed in found[1:]:
        told = f"the mesh has a MeshConfig already, {first}"
        yield Broken(placed=placed, path=(), text=f"{told}; put its fields in there")


def check_providers(documents: Mapping[Key, Placed], _before: Mapping[Key, Placed]) -> Iterator[Broken]:
    """What a Telemetry names is in MeshConfig, and can do what it is named for.

    An AuthorizationPolicy whose provider is not there is another matter: it stays, and refuses what it
    matches, since leaving it out would let everything in.
    """
    configs = [placed for placed in documents.values() if isinstance(placed.document, MeshConfig)]
    spec = configs[0].document.spec if configs and isinstance(configs[0].document, MeshConfig) else None
    given = {provider.name: provider for provider in spec.extension_providers} if spec else {}
    able = {
        "accessLogging": {"envoy", *(name for name, provider in given.items() if provider.logs)},
        "tracing": {name for name, provider in given.items() if provider.traces},
        "metrics": {"prometheus", *(name for name, provider in given.items() if provider.prometheus)},
    }
    refers_to = tuple(placed.key for placed in configs) or (("MeshConfig", "", ""),)
    for placed in documents.values():
        if isinstance(placed.document, Telemetry):
            for field, path, name in _named_providers(placed.document):
                if name not in able[field]:
                    is_there = (
                        "can not do that" if name in given else "is not in MeshConfig's extensionProviders"
                    )
                    text = f"provider {name!r} {is_there}; {_hint(able[field])}"
                    yield Broken(placed=placed, path=path, text=text, refers_to=refers_to)


def _named_providers(telemetry: Telemetry) -> Iterator[tuple[str, Path, str]]:
    spec = telemetry.spec
    fields: tuple[tuple[str, Sequence[AccessLogging | Tracing | Metrics]], ...] = (
        ("accessLogging", spec.access_logging),
        ("tracing", spec.tracing),
        ("metrics", spec.metrics),
    )
    for field, entries in fields:
        for at, entry in enumerate(entries):
            for number, provider in enumerate(entry.providers):
                yield field, ("spec", field, at, "providers", number, "name"), provider.name


def _hint(names: Collection[str]) -> str:
    return f"write one of {', '.join(sorted(names))}" if names else "add it there"


CHECKS: tuple[Check, ...] = (check_one_config, check_providers, *traffic_references.CHECKS)
"""Every check, in the order in which they are told."""
