"""VirtualServices with the rules of their delegates in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from meshext_controlplane.model.delegation import merge_routes
from meshext_controlplane.model.exporting import is_exported
from meshext_controlplane.model.http_route import Delegate, HttpRoute
from meshext_controlplane.model.virtual_service import VirtualService

Key = tuple[str, str, str]
Resolved = dict[Key, tuple[tuple[VirtualService | None, ...], VirtualService]]
"""Of each document: what it was made of (itself, then its delegates), and what it is with them."""


def resolve_delegates(documents: Sequence[VirtualService], known: Resolved) -> Resolved:
    """Those that decide about hosts; what was made of the same documents in `known` is the same object."""
    by_key = {document.key: document for document in documents}
    found: Resolved = {}
    for document in documents:
        if not document.spec.hosts:
            continue
        parts = (document, *(find_delegate(each, document, by_key) for each in _delegates(document)))
        before = known.get(document.key)
        if before is not None and _are_same(before[0], parts):
            found[document.key] = before
        else:
            found[document.key] = parts, _resolve(document, by_key)
    return found


def find_delegate(
    delegate: Delegate, document: VirtualService, by_key: Mapping[Key, VirtualService]
) -> VirtualService | None:
    """The document that a rule delegates to, if it is there, for that, and shown to the rule's namespace."""
    own = document.metadata.namespace
    namespace = delegate.namespace or own
    found = by_key.get((VirtualService.KIND, namespace, delegate.name))
    if found is None or found.spec.hosts or not is_exported(found.spec.export_to, namespace, own):
        return None
    return found


def _delegates(document: VirtualService) -> Iterator[Delegate]:
    return (rule.delegate for rule in document.spec.http if rule.delegate is not None)


def _are_same(before: Sequence[object], now: Sequence[object]) -> bool:
    return len(before) == len(now) and all(one is other for one, other in zip(before, now, strict=True))


def _resolve(document: VirtualService, by_key: Mapping[Key, VirtualService]) -> VirtualService:
    if not any(_delegates(document)):
        return document
    rules: list[HttpRoute] = []
    for rule in document.spec.http:
        if rule.delegate is None:
            rules.append(rule)
        elif (other := find_delegate(rule.delegate, document, by_key)) is not None:
            rules += merge_routes(rule, other.spec.http, other.metadata.namespace)
    return document.model_copy(update={"spec": document.spec.model_copy(update={"http": tuple(rules)})})
