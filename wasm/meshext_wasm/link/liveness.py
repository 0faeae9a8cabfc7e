"""What the exports need: only that goes into the module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from meshext_wasm.link.calls import Callee, in_place
from meshext_wasm.link.objects import (
    Code,
    Fix,
    ObjectFile,
    Relocation,
    Segment,
    SymbolKind,
    places_of,
    relocation_of,
)
from meshext_wasm.link.symbols import FAR, HostFunction, Symbols, Target
from meshext_wasm.link.tables import DISPLAY, METHOD, Tables, is_class, makes, place_number

Piece = tuple[ObjectFile, Code | Segment]
Reach = tuple[Piece | None, Callee | None]
"""What a relocation comes to whenever it is seen: a piece that has to live, and a function in the table."""


@dataclass(slots=True)
class Live:
    """What goes into the module, in the order in which it was reached, and what each symbol means.

    `meanings` is keyed by the identity of the object and the number of the symbol in it; `indirect` is what
    has a place in the table, and how often it is named. `reached` has what the code of an object came to
    already, by the object's identity and the name that `places_of` gives.
    """

    functions: list[tuple[ObjectFile, Code]] = field(default_factory=list)
    segments: list[tuple[ObjectFile, Segment]] = field(default_factory=list)
    hosts: list[HostFunction] = field(default_factory=list)
    indirect: dict[Callee, int] = field(default_factory=dict)
    stack_pointer: bool = False
    meanings: dict[tuple[int, int], tuple[Target, int]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    reached: dict[int, dict[bytes, Reach]] = field(default_factory=dict)
    tables: Tables = field(default_factory=Tables)


def find_live(symbols: Symbols, roots: Iterable[tuple[ObjectFile, Code]]) -> Live:
    """Follow relocations from the functions that are exported."""
    live = Live()
    for holder, code in roots:
        add_live(symbols, live, holder, code)
    return live


def add_live(symbols: Symbols, live: Live, holder: ObjectFile, found: Code | Segment) -> None:
    """A function or segment and all that it needs."""
    waiting: list[Piece] = [(holder, found)]
    while waiting:
        holder, found = waiting.pop()
        if id(found) in live.seen:
            continue
        live.seen.add(id(found))
        if isinstance(found, Code):
            live.functions.append((holder, found))
            waiting += reached_by_code(symbols, live, holder, found)
            continue
        live.segments.append((holder, found))
        table = is_class(found)
        if table:
            waiting += add_table(symbols, live, holder, found)
        for each in found.relocations:
            if not table or place_number(found, each) is None:
                (piece, _), more = reached(symbols, live, holder, found, each)
                waiting += [piece, *more] if piece is not None else more


def reached_by_code(symbols: Symbols, live: Live, holder: ObjectFile, code: Code) -> Iterator[Piece]:
    """What has to live for a function. Most of what it names some code of its object named before: that is
    only counted for the table, and what is there needs not be put on the heap of what waits again."""
    known = live.reached.setdefault(id(holder), {})
    for offset, what, name in places_of(code.body, code.packed):
        reach = known.get(name)
        more: list[Piece] = []
        if reach is None:
            reach, more = reached(symbols, live, holder, code, relocation_of(offset, what))
            known[name] = reach
        elif reach[1] is not None:
            live.indirect[reach[1]] += 1
        if reach[0] is not None and id(reach[0][1]) not in live.seen:
            yield reach[0]
        yield from more


def add_table(symbols: Symbols, live: Live, holder: ObjectFile, segment: Segment) -> list[Piece]:
    """Note the table of a class that lives; its places are filled when it has instances."""
    shown, display = holder, None
    for each in segment.relocations:
        target = follow(symbols, live, holder, each) if each.offset == DISPLAY else None
        if isinstance(target, tuple) and isinstance(target[1], Segment):
            shown, display = target[0], target[1]
    return fill(symbols, live, live.tables.add(holder, segment, display, shown))


def reached(
    symbols: Symbols, live: Live, holder: ObjectFile, found: Code | Segment, relocation: Relocation
) -> tuple[Reach, list[Piece]]:
    """What has to live for a relocation; with the first instance of a class, or the first call of a method,
    also the functions in the places that it fills."""
    target = follow(symbols, live, holder, relocation)
    callee = in_place(holder, found, relocation, target)
    note_place(live, callee)
    if isinstance(target, HostFunction) and target not in live.hosts:
        live.hosts.append(target)
    if isinstance(target, str) and target.startswith(METHOD):
        return (None, callee), fill(symbols, live, live.tables.call(target))
    if not isinstance(target, tuple):
        return (None, callee), []
    _, piece = target
    if isinstance(piece, Segment) and makes(found, relocation, holder.symbols[relocation.index].name):
        return (target, callee), fill(symbols, live, live.tables.make(piece))
    return (target, callee), []


def fill(symbols: Symbols, live: Live, places: Iterable[tuple[ObjectFile, Relocation]]) -> list[Piece]:
    """The functions that stand in places of tables."""
    found: list[Piece] = []
    for holder, relocation in places:
        target = follow(symbols, live, holder, relocation)
        note_place(live, in_place(holder, None, relocation, target))
        found += [target] if isinstance(target, tuple) else []
    return found


def follow(symbols: Symbols, live: Live, holder: ObjectFile, relocation: Relocation) -> Target | None:
    """What a relocation needs; None where that is nothing, or nothing defines it."""
    if relocation.fix in (Fix.TYPE_INDEX_LEB, Fix.TABLE_NUMBER_LEB):
        return None
    symbol = holder.symbols[relocation.index]
    if relocation.fix is Fix.GLOBAL_INDEX_LEB or symbol.kind is SymbolKind.GLOBAL:
        live.stack_pointer = True
        return None
    key = (id(holder), relocation.index)
    if key not in live.meanings:
        found = symbols.resolve(holder, symbol)
        if found is None:
            return None
        live.meanings[key] = found
        if isinstance(found[0], tuple):
            live.names.setdefault(id(found[0][1]), symbol.name.removeprefix(FAR))
    return live.meanings[key][0]


def note_place(live: Live, callee: Callee | None) -> None:
    """What has a place in the table is named once more."""
    if callee is not None:
        live.indirect[callee] = live.indirect.get(callee, 0) + 1
