"""What an edit changes: in documents, and in what each proxy is served. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import yaml

from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.snapshot import TYPES, Resource, Snapshot
from meshext_controlplane.translate.decoding import decode_resource, to_data
from meshext_proto.meshext import admin_pb2

MOST_CHANGES = 200  # told one by one
LONGEST_DIFF = 400  # lines of one change

Pair = tuple[Proxy, Snapshot, Snapshot]
"""A proxy, what it has and what it would have."""


@dataclass(frozen=True, slots=True)
class _Edit:
    type_url: str
    name: str
    before: Resource | None
    after: Resource | None


def diff_documents(before: Mapping[str, str], after: Mapping[str, str]) -> list[admin_pb2.Change]:
    """Changes of documents, by what they are called."""
    return [
        build_change(name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def diff_snapshots(pairs: Iterable[Pair]) -> list[admin_pb2.Change]:
    """Changes of resources over all proxies: one that is the same for several is told once."""
    found: dict[_Edit, list[str]] = {}
    for proxy, before, after in pairs:
        for edit in find_edits(before, after):
            found.setdefault(edit, []).append(proxy.node_id)
    changes = [to_change(edit, proxies) for edit, proxies in list(found.items())[:MOST_CHANGES]]
    if len(found) > MOST_CHANGES:
        changes.append(admin_pb2.Change(what=f"and {len(found) - MOST_CHANGES} more", kind="CHANGED"))
    return changes


def find_edits(before: Snapshot, after: Snapshot) -> Iterator[_Edit]:
    """Resources that are not in both the same, in the order in which they are sent."""
    for type_url in TYPES:
        old, new = before.named(type_url), after.named(type_url)
        for name in sorted(old.keys() | new.keys()):
            one, other = old.get(name), new.get(name)
            if one is not other and (one is None or other is None or one.version != other.version):
                yield _Edit(type_url, name, one, other)


def to_change(edit: _Edit, proxies: list[str]) -> admin_pb2.Change:
    """One edit with the texts of the two resources."""
    what = f"{edit.type_url.rpartition('.')[2]} {edit.name}"
    change = build_change(what, to_yaml(edit.before), to_yaml(edit.after))
    change.proxies.extend(sorted(proxies))
    return change


def build_change(what: str, before: str | None, after: str | None) -> admin_pb2.Change:
    """A change with its unified diff."""
    kind = "CREATED" if before is None else "REMOVED" if after is None else "CHANGED"
    lines = list(
        difflib.unified_diff((before or "").splitlines(), (after or "").splitlines(), n=2, lineterm="")
    )[2:]
    if len(lines) > LONGEST_DIFF:
        lines = [*lines[:LONGEST_DIFF], f"... {len(lines) - LONGEST_DIFF} lines more"]
    return admin_pb2.Change(kind=kind, what=what, diff="\n".join(lines))


def to_yaml(resource: Resource | None) -> str | None:
    """A resource as people read Envoy's configuration."""
    if resource is None:
        return None
    return yaml.safe_dump(to_data(decode_resource(resource)), sort_keys=False, width=110)
