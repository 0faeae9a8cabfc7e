"""Wasm as a runtime of `meshext check`, `run` and `config`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from meshext import Filter
from meshext.cli.runtimes import BODY, HEADER_VALUES, Runtime
from meshext.cli.study import Study
from meshext.config import (
    build_plain_model,
    parse_config,
    parse_document,
    read_config,
    reads_itself,
    to_plain,
)
from meshext.config.documents import Document
from meshext.envoy.wasm_filter import Module
from meshext.loading import assign, load_needs
from meshext.metrics import MetricRegistry
from meshext.needs import Hook, Needs
from meshext.plugins import load_filter

OWN_LABELS = ("filter", "hook", "kind")
"""Each metric has the first; all of them are those of `meshext_hook_failures_total`."""

LATE = frozenset(
    {Hook.ON_REQUEST_CHUNK, Hook.ON_REQUEST_TRAILERS, Hook.ON_RESPONSE_CHUNK, Hook.ON_RESPONSE_TRAILERS}
)
"""Hooks that run when the headers of their message have left."""


def refusals(cls: type[Filter], needs: Needs) -> Iterable[str]:
    """What the class asks for that a module can not do."""
    from meshext_wasm.glue.refusals import find_refusals

    return list(find_refusals(cls, needs))


def ability(row: str) -> str:
    """A word for one row of the table."""
    if row in (BODY, HEADER_VALUES):
        return "bytes"
    if row in (Hook.ON_REQUEST_CHUNK, Hook.ON_RESPONSE_CHUNK):
        return "in chunks"
    return "whole" if row in (Hook.ON_REQUEST_BODY, Hook.ON_RESPONSE_BODY) else "yes"


def embed(
    specs: Sequence[str], configs: Sequence[str], on_step: Callable[[str], None]
) -> tuple[Module, tuple[Needs, ...]]:
    """The filters compiled, with their configuration checked here: Envoy's own refusal says no reason."""
    from meshext_wasm.build.cache import user_cache
    from meshext_wasm.build.filters import build_filters

    needs = tuple(load_needs(specs, configs))
    built = build_filters(specs, user_cache(), on_step=on_step)
    module = Module(
        name=built.name,
        code=built.code,
        configuration=to_configuration([load_filter(spec) for spec in specs], configs),
        reads_peer="peer" in built.facts,
        labels=labels_of([load_filter(spec) for spec in specs]),
        written_namespaces=namespaces_of(needs) if built.writes else (),
        writes_late=any(each.hooks & LATE for each in needs),
    )
    return module, needs


def outline(specs: Sequence[str], configs: Sequence[str], file: str) -> tuple[Module, tuple[Needs, ...]]:
    """What Envoy needs of the filters where their module is in a file; nothing is compiled."""
    from meshext_wasm.build.filters import WRITES, find_facts, mentions, read_sources, seat_filters

    needs = tuple(load_needs(specs, configs))
    classes = [load_filter(spec) for spec in specs]
    chain, _ = seat_filters(classes)
    sources = read_sources(chain)
    name = "+".join(each.name for each in needs)
    module = Module(
        name=name,
        file=file or f"{name}.wasm",
        configuration=to_configuration(classes, configs),
        reads_peer="peer" in find_facts(sources),
        labels=labels_of(classes),
        written_namespaces=namespaces_of(needs) if mentions(sources, WRITES) else (),
        writes_late=any(each.hooks & LATE for each in needs),
    )
    return module, needs


def labels_of(classes: Sequence[type[Filter]]) -> tuple[str, ...]:
    """The labels of the filters' metrics, and of those that every module counts."""
    found = [label for cls in classes for metric in MetricRegistry(cls).metrics() for label in metric.labels]
    return tuple(dict.fromkeys([*OWN_LABELS, *found]))


def namespaces_of(chain: Sequence[Needs]) -> tuple[str, ...]:
    """Where the filters write metadata, each once."""
    return tuple(dict.fromkeys(needs.namespace for needs in chain))


def to_configuration(classes: Sequence[type[Filter]], configs: Sequence[str]) -> str:
    """What the module is configured with: JSON, keyed by filter name where there are several."""
    documents = assign(classes, [read_config(config) for config in configs])
    if len(classes) == 1:
        return to_text(classes[0], documents[0])
    given = {
        cls.name: to_data(cls, document)
        for cls, document in zip(classes, documents, strict=True)
        if document is not None
    }
    return json.dumps(given)


def to_text(cls: type[Filter], document: Document | None) -> str:
    """One filter's configuration; raw where it takes it so."""
    if document is None:
        return ""
    return document.text if getattr(cls, "Config", None) is str else json.dumps(to_data(cls, document))


def to_data(cls: type[Filter], document: Document) -> object:
    """One filter's configuration as plain data; where its class reads a format of its own, what it has read:
    a module knows nothing of that format."""
    config_type = getattr(cls, "Config", None)
    if config_type is None or not reads_itself(config_type):
        return parse_document(document)
    model = build_plain_model(config_type, owner=cls)
    return to_plain(parse_config(config_type, document, owner=cls), model)


def study(specs: Sequence[str], configs: Sequence[str], on_step: Callable[[str], None]) -> Study:
    """What compiling the filters tells about them."""
    from meshext_wasm.cli import studying

    return studying.study(specs, configs, on_step)


RUNTIME = Runtime(
    name="Wasm",
    mode="wasm",
    refusals=refusals,
    ability=ability,
    embed=embed,
    outline=outline,
    study=study,
)
