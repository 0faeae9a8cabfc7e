"""From what a person gives (specs and configurations) to filters that are ready to serve."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from meshext.config import Document, Plain, parse_config, parse_document, read_config
from meshext.engine.chain import Chain, Mount, build_chain, build_mount, configured_needs
from meshext.errors import ConfigError, SpecError
from meshext.filter import Filter
from meshext.metrics import MetricRegistry
from meshext.needs import Needs
from meshext.plugins import load_filter
from meshext.store import MemoryStore, NamespacedStore, Store

Configured = tuple[type[Filter], object]


def load_configured(specs: Sequence[str], configs: Sequence[str] = ()) -> list[Configured]:
    """Each spec's class with its parsed configuration (None where it has no `Config`).

    One configuration goes to a single filter; several filters take one each, in order, or together one
    document whose keys are the filters' names. Raises SpecError and ConfigError.
    """
    if not specs:
        raise SpecError("no filter given; write one such as path/to/file.py:Class")
    classes = [load_filter(spec) for spec in specs]
    documents = assign(classes, [read_config(config) for config in configs])
    return [(cls, build_config(cls, document)) for cls, document in zip(classes, documents, strict=True)]


def load_needs(specs: Sequence[str], configs: Sequence[str] = ()) -> list[Needs]:
    """What each filter needs in its configuration, without making filter objects."""
    return [configured_needs(cls, config) for cls, config in load_configured(specs, configs)]


def load_chain(specs: Sequence[str], configs: Sequence[str] = (), *, store: Store | None = None) -> Chain:
    """The filters made ready, in order, sharing one store; None is the memory of this process."""
    shared = MemoryStore() if store is None else store
    with collecting_later():
        mounts: list[Mount] = [
            build_mount(cls, config, store=NamespacedStore(shared, cls.name), metrics=MetricRegistry(cls))
            for cls, config in load_configured(specs, configs)
        ]
    return build_chain(mounts)


@contextmanager
def collecting_later() -> Iterator[None]:
    """Without garbage collection: what is loaded stays, and looking through it again and again takes as long
    as loading it (10,000 rules: half of two seconds)."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


def assign(classes: Sequence[type[Filter]], documents: Sequence[Document]) -> list[Document | None]:
    """Which filter gets which document."""
    if not documents:
        return [None] * len(classes)
    if len(documents) == len(classes):
        return list(documents)
    if len(documents) == 1:
        return split_by_name(classes, documents[0])
    wanted = (
        "give one" if len(classes) == 1 else "give one for each, or one whose keys are the filters' names"
    )
    plural = "" if len(classes) == 1 else "s"
    raise ConfigError([f"{len(documents)} configurations for {len(classes)} filter{plural}; {wanted}"])


def split_by_name(classes: Sequence[type[Filter]], document: Document) -> list[Document | None]:
    """One document for several filters: a mapping from filter name to that filter's configuration."""
    names = [cls.name for cls in classes]
    parts = parse_document(document)
    if not isinstance(parts, dict) or not set(parts) <= set(names):
        raise ConfigError(
            [
                f"with several filters, the keys of a single configuration are their names "
                f"({', '.join(names)}); or give one for each, {{}} for a filter without Config"
            ],
            source=document.source,
        )
    return [
        to_document(parts[name], f"{document.source}: {name}") if name in parts else None for name in names
    ]


def to_document(part: Plain, source: str) -> Document:
    """A part of a document as a document of its own; text stays raw, for a filter with `Config = str`."""
    return Document(part if isinstance(part, str) else json.dumps(part), source)


def build_config(cls: type[Filter], document: Document | None) -> object:
    """The filter's `Config` from a document; None where it has none."""
    config_type = getattr(cls, "Config", None)
    if config_type is None:
        if document is not None and parse_document(document) not in (None, {}):
            raise ConfigError(
                [f"{cls.__name__} takes no configuration; leave --config out"], source=document.source
            )
        return None
    return parse_config(config_type, document, owner=cls)
