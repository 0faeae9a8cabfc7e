"""The mesh's configuration out of all its sources: what is good is taken, what is not stays as it was.

An object that is refused, for a mistake of its own or a reference that does not hold, keeps its last good
version; the rest of the mesh is not held up. Pure: sources are read elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from meshext_controlplane.model.base import MeshDocument
from meshext_controlplane.model.mesh_config import MeshConfig, MeshConfigSpec
from meshext_controlplane.sources.places import (
    Broken,
    Key,
    Mistake,
    Origin,
    Placed,
    Problem,
    find_places,
    place_mistakes,
    show_key,
)
from meshext_controlplane.sources.reading import Reading
from meshext_controlplane.sources.references import find_broken

MOST_NAMED = 10  # other places of an object that is in several

Documents = Mapping[str, tuple[MeshDocument, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What the mesh runs with, and what is wrong with the rest.

    `good` are the documents in force, in the order that decides; `held` those of them that are not what is
    written now. `documents` is the same object as before where nothing in force has changed.
    """

    config: MeshConfigSpec = field(default_factory=MeshConfigSpec)
    documents: Documents = field(default_factory=lambda: MappingProxyType({}))
    good: Mapping[Key, Placed] = field(default_factory=lambda: MappingProxyType({}))
    held: frozenset[Key] = frozenset()
    problems: tuple[Problem, ...] = ()


NOTHING = Configuration()


def merge(
    readings: Sequence[Reading], previous: Configuration = NOTHING, *, notes: Iterable[Problem] = ()
) -> Configuration:
    """The configuration of these texts, in any order; `notes` are told beside what is found wrong."""
    problems = [*notes, *(problem for reading in readings for problem in reading.problems)]
    found = _by_key(readings)
    held = _unclear(readings, found, previous)
    doubled = {key: placed for key, placed in found.items() if len(placed) > 1}
    problems += _told_twice(doubled)
    held |= doubled.keys()
    wanted = {key: placed[0] for key, placed in found.items() if key not in held}
    good, returned, broken = _settle(wanted, held, previous)
    problems += _place_broken(broken)
    ordered = dict(sorted(good.items(), key=lambda each: each[1].order))
    return Configuration(
        config=_find_config(ordered),
        documents=_by_kind(ordered, previous.documents),
        good=MappingProxyType(ordered),
        held=frozenset(key for key in held | returned if key in good),
        problems=tuple(problems),
    )


def _by_key(readings: Iterable[Reading]) -> dict[Key, list[Placed]]:
    found: dict[Key, list[Placed]] = {}
    for placed in sorted((each for reading in readings for each in reading.documents), key=lambda p: p.order):
        found.setdefault(placed.key, []).append(placed)
    return found


def _unclear(
    readings: Sequence[Reading], found: Mapping[Key, Sequence[Placed]], previous: Configuration
) -> set[Key]:
    """Objects that are refused, and those that a text held which can not be read now."""
    unclear = {key for reading in readings for key in reading.refused}
    unreadable = {reading.origin.source for reading in readings if not reading.whole}
    unclear |= {
        key
        for key, placed in previous.good.items()
        if placed.origin.source in unreadable and key not in found
    }
    return unclear


def _told_twice(doubled: Mapping[Key, Sequence[Placed]]) -> list[Problem]:
    lines = find_places((placed.origin, placed.path) for places in doubled.values() for placed in places)
    told = []
    for key, places in doubled.items():
        named = [f"{each.origin.source}:{lines[each.origin, each.path]}" for each in places]
        for at, placed in enumerate(places):
            others = ", ".join([*named[:at], *named[at + 1 :]][:MOST_NAMED])
            told.append(
                Problem(
                    source=placed.origin.source,
                    line=lines[placed.origin, placed.path],
                    key=key,
                    path="",
                    text=f"is also in {others}; neither is taken",
                    hint="leave one of them out",
                )
            )
    return told


def _settle(
    wanted: Mapping[Key, Placed], held: Iterable[Key], previous: Configuration
) -> tuple[dict[Key, Placed], set[Key], list[Broken]]:
    """Documents whose references hold: what broke one goes back to its last good version, or out.

    Each round takes at least one change back, and a change is never taken twice, so this ends.
    """
    good = dict(wanted) | {key: previous.good[key] for key in held if key in previous.good}
    returned: set[Key] = set()
    told: dict[tuple[Key, str], Broken] = {}
    while broken := find_broken(good, previous.good):
        moved = False
        for each in broken:
            told.setdefault((each.key, each.text), each)
            for key in _culprits(each, good, previous, returned):
                moved = True
                returned.add(key)
                if key in previous.good:
                    good[key] = previous.good[key]
                else:
                    good.pop(key, None)
        if not moved:
            for each in broken:
                returned.add(each.key)
                good.pop(each.key, None)
    return good, returned, list(told.values())


def _culprits(
    broken: Broken, good: Mapping[Key, Placed], previous: Configuration, returned: set[Key]
) -> list[Key]:
    """Whose change broke the reference: the object's own, else that of what it refers to."""
    changed = [
        key
        for key in (broken.key, *broken.refers_to)
        if key not in returned and _document(good, key) is not _document(previous.good, key)
    ]
    return changed[:1]


def _document(good: Mapping[Key, Placed], key: Key) -> MeshDocument | None:
    return good[key].document if key in good else None


def _place_broken(broken: Iterable[Broken]) -> list[Problem]:
    by_origin: dict[Origin, list[Mistake]] = {}
    for each in broken:
        path = (*each.placed.path, *each.path)
        mistake = Mistake(path=path, within=len(each.placed.path), text=each.text, key=each.key)
        by_origin.setdefault(each.placed.origin, []).append(mistake)
    return [problem for origin, mistakes in by_origin.items() for problem in place_mistakes(origin, mistakes)]


def _find_config(good: Mapping[Key, Placed]) -> MeshConfigSpec:
    for placed in good.values():
        if isinstance(placed.document, MeshConfig):
            return placed.document.spec
    return MeshConfigSpec()


def _by_kind(good: Mapping[Key, Placed], previous: Documents) -> Documents:
    kinds: dict[str, list[MeshDocument]] = {}
    for placed in good.values():
        kinds.setdefault(placed.document.KIND, []).append(placed.document)
    documents = {
        kind: previous[kind] if kind in previous and _alike(found, previous[kind]) else tuple(found)
        for kind, found in kinds.items()
    }
    if documents.keys() == previous.keys() and all(documents[kind] is previous[kind] for kind in documents):
        return previous
    return MappingProxyType(documents)


def _alike(one: Sequence[MeshDocument], other: Sequence[MeshDocument]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def tell_held(configuration: Configuration) -> list[str]:
    """A line for each object that is not in force as it is written now."""
    held = {key: configuration.good[key] for key in sorted(configuration.held)}
    lines = find_places((placed.origin, placed.path) for placed in held.values())
    return [
        f"{show_key(key)}: the last good version stays, "
        f"from {placed.origin.source}:{lines[placed.origin, placed.path]}"
        for key, placed in held.items()
    ]
