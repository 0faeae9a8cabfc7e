"""What the exports need: only that goes into the module."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from meshext_wasm.link.objects import Code, Fix, ObjectFile, Relocation, Segment, SymbolKind
from meshext_wasm.link.symbols import METHOD, HostFunction, Symbols, Target

Piece = tuple[ObjectFile, Code | Segment]

CLASS_SEGMENT = ".rodata.class:"
"""How the segment of a class's descriptor is named."""
TABLE = 32
"""Where the table of methods begins in a descriptor."""
INDIRECT = frozenset({Fix.TABLE_INDEX_SLEB, Fix.TABLE_INDEX_I32})


@dataclass(slots=True)
class Live:
    """What goes into the module, in the order in which it was reached, and what each symbol means.

    `meanings` is keyed by the identity of the object and the number of the symbol in it. `methods` are those
    that are called by place, `held` what fills the places of the others.
    """

    functions: list[tuple[ObjectFile, Code]] = field(default_factory=list)
    segments: list[tuple[ObjectFile, Segment]] = field(default_factory=list)
    hosts: list[HostFunction] = field(default_factory=list)
    indirect: dict[Code | HostFunction, None] = field(default_factory=dict)
    stack_pointer: bool = False
    meanings: dict[tuple[int, int], tuple[Target, int]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)
    held: dict[str, list[tuple[ObjectFile, Relocation]]] = field(default_factory=dict)


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
        for each in found.relocations:
            method = method_at(found, each)
            if method is not None and method not in live.methods:
                live.held.setdefault(method, []).append((holder, each))
            else:
                waiting += reached(symbols, live, holder, each)


def reached(symbols: Symbols, live: Live, holder: ObjectFile, relocation: Relocation) -> list[Piece]:
    """What has to live for a relocation; with the first call of a method all functions in its place."""
    target = follow(symbols, live, holder, relocation)
    if isinstance(target, tuple):
        return [target]
    if isinstance(target, HostFunction) and target not in live.hosts:
        live.hosts.append(target)
    if isinstance(target, str) and target.startswith(METHOD) and target not in live.methods:
        live.methods.add(target)
        return [each for held in live.held.pop(target, []) for each in reached(symbols, live, *held)]
    return []


def method_at(found: Code | Segment, relocation: Relocation) -> str | None:
    """The method whose place in a class's table a relocation fills; None where it is no such place.

    A function in the table is needed only when something that lives calls the method of its place.
    """
    if isinstance(found, Segment) and found.name.startswith(CLASS_SEGMENT) and relocation.offset >= TABLE:
        return f"{METHOD}{(relocation.offset - TABLE) // 4}"
    return None


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
