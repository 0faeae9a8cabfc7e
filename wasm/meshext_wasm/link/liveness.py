"""What the exports need: only that goes into the module."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from meshext_wasm.link.objects import Code, Fix, ObjectFile, Relocation, Segment, SymbolKind
from meshext_wasm.link.symbols import HostFunction, Symbols, Target
from meshext_wasm.link.tables import DISPLAY, METHOD, Tables, is_class, makes, place_number

Piece = tuple[ObjectFile, Code | Segment]

INDIRECT = frozenset({Fix.TABLE_INDEX_SLEB, Fix.TABLE_INDEX_I32})


@dataclass(slots=True)
class Live:
    """What goes into the module, in the order in which it was reached, and what each symbol means.

    `meanings` is keyed by the identity of the object and the number of the symbol in it.
    """

    functions: list[tuple[ObjectFile, Code]] = field(default_factory=list)
    segments: list[tuple[ObjectFile, Segment]] = field(default_factory=list)
    hosts: list[HostFunction] = field(default_factory=list)
    indirect: dict[Code | HostFunction, None] = field(default_factory=dict)
    stack_pointer: bool = False
    meanings: dict[tuple[int, int], tuple[Target, int]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
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
        else:
            live.segments.append((holder, found))
            if is_class(found):
                waiting += add_table(symbols, live, holder, found)
        for each in found.relocations:
            if place_number(found, each) is None:
                waiting += reached(symbols, live, holder, found, each)


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
) -> list[Piece]:
    """What has to live for a relocation; with the first instance of a class, or the first call of a method,
    also the functions in the places that it fills."""
    target = follow(symbols, live, holder, relocation)
    if isinstance(target, HostFunction) and target not in live.hosts:
        live.hosts.append(target)
    if isinstance(target, str) and target.startswith(METHOD):
        return fill(symbols, live, live.tables.call(target))
    if not isinstance(target, tuple):
        return []
    _, piece = target
    if isinstance(piece, Segment) and makes(found, relocation, holder.symbols[relocation.index].name):
        return [target, *fill(symbols, live, live.tables.make(piece))]
    return [target]


def fill(symbols: Symbols, live: Live, places: Iterable[tuple[ObjectFile, Relocation]]) -> list[Piece]:
    """The functions that stand in places of tables."""
    found = (follow(symbols, live, *each) for each in places)
    return [each for each in found if isinstance(each, tuple)]


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
            live.names.setdefault(id(found[0][1]), symbol.name)
    target = live.meanings[key][0]
    if relocation.fix in INDIRECT:
        callee = target[1] if isinstance(target, tuple) else target
        if isinstance(callee, Code | HostFunction):
            live.indirect[callee] = None
    return target
