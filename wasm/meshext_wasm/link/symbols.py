"""Which definition every symbol means, over all objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meshext_wasm.abi.functions import HOST_FUNCTIONS, MODULE, WASI_FUNCTIONS, WASI_MODULE
from meshext_wasm.link.encoding import I32, I64, Signature
from meshext_wasm.link.errors import LinkError
from meshext_wasm.link.kept import AnyObject, KeptObject, at_hand
from meshext_wasm.link.objects import LOCAL, Code, ObjectFile, Segment, Symbol, SymbolKind
from meshext_wasm.link.tables import CLASS, METHOD, TESTED

HOST = "host:"
"""How a symbol begins that is a function of the proxy."""
FAR = "far:"
"""How a symbol begins that is a function called where code seldom runs; the rest is its own symbol."""
LETTERS = {"i": I32, "l": I64}
MADE_HERE = ("__heap_base", "__roots_start", "__roots_end")
"""Addresses that the linker knows."""
SEVERAL_WEAK = "a weak definition may stand in several objects"


@dataclass(frozen=True, slots=True, eq=False)
class HostFunction:
    """A function of the proxy that the module imports."""

    module: str
    name: str
    signature: Signature


Target = tuple[ObjectFile, Code] | tuple[ObjectFile, Segment] | HostFunction | str
"""What a symbol means: code or a segment of an object, an import, or the name of an address made here."""


def host_function(name: str) -> HostFunction | None:
    """A function that Envoy has, by name."""
    for module, table in ((MODULE, HOST_FUNCTIONS), (WASI_MODULE, WASI_FUNCTIONS)):
        if name in table:
            found = table[name]
            parameters = bytes(LETTERS[each] for each in found.parameters)
            return HostFunction(module, name, Signature(parameters, bytes(LETTERS[e] for e in found.results)))
    return None


class Symbols:
    """All symbols of all objects. What can not be resolved stands in `problems`."""

    def __init__(self, objects: Sequence[AnyObject]) -> None:
        self.problems: list[str] = []
        self.hosts: dict[str, HostFunction] = {}
        self._strong: dict[str, KeptObject] = {}
        self._weak: dict[str, KeptObject] = {}
        for each in map(at_hand, reversed(objects)):
            for name in each.strong.keys() & self._strong.keys():
                other = self._strong[name].source
                self.problems.append(f"{name!r} is defined in {each.source} and in {other}; {SEVERAL_WEAK}")
            self._strong.update(dict.fromkeys(each.strong, each))
            self._weak.update(dict.fromkeys(each.weak, each))

    def named(self, name: str) -> tuple[ObjectFile, Symbol] | None:
        """The definition of a name: the strong one, or the first object's weak one."""
        if name in self._strong:
            return self._strong[name].defined(name)
        return self._weak[name].defined(name) if name in self._weak else None

    def resolve(self, holder: ObjectFile, symbol: Symbol) -> tuple[Target, int] | None:
        """What a symbol of an object means, and the offset in its segment; None where nothing defines it."""
        if not symbol.defined or not symbol.flags & LOCAL:
            found = self.named(symbol.name.removeprefix(FAR))
            if found is None and symbol.name.startswith(TESTED):
                found = self.named(CLASS + symbol.name.removeprefix(TESTED))
            if found is None:
                return self._elsewhere(holder, symbol)
            if symbol.kind is SymbolKind.FUNCTION:
                self._compare(holder, symbol, *found)
            holder, symbol = found
        if symbol.kind is SymbolKind.FUNCTION:
            return (holder, holder.functions[symbol.index - len(holder.imports)]), 0
        return (holder, holder.segments[symbol.index]), symbol.offset

    def _compare(self, holder: ObjectFile, symbol: Symbol, other: ObjectFile, definition: Symbol) -> None:
        """The type that a caller expects against that of the definition."""
        if definition.kind is not SymbolKind.FUNCTION:
            self.problems.append(
                f"{symbol.name!r} is called in {holder.source}, but is data of {other.source}"
            )
            return
        wants, has = holder.signature_of(symbol), other.signature_of(definition)
        if wants != has:
            where = f"{holder.source} calls it as {wants}, {other.source} defines it as {has}"
            self.problems.append(f"{symbol.name!r}: {where}")

    def _elsewhere(self, holder: ObjectFile, symbol: Symbol) -> tuple[Target, int] | None:
        """A symbol that no object defines."""
        name = symbol.name
        if symbol.kind is SymbolKind.DATA and (name in MADE_HERE or name.startswith(METHOD)):
            return name, 0
        if not name.startswith(HOST):
            self.problems.append(f"{name!r} is used in {holder.source}, and nothing defines it")
            return None
        known = host_function(name.removeprefix(HOST))
        if known is None:
            self.problems.append(
                f"{name.removeprefix(HOST)!r}, used in {holder.source}, is no function of Envoy"
            )
            return None
        if known.signature != holder.signature_of(symbol):
            wants = holder.signature_of(symbol)
            self.problems.append(
                f"{known.name!r}: {holder.source} calls it as {wants}, Envoy has {known.signature}"
            )
        return self.hosts.setdefault(name, known), 0


def raise_problems(symbols: Symbols) -> None:
    """LinkError with all that was found, each once."""
    if symbols.problems:
        raise LinkError(tuple(dict.fromkeys(symbols.problems)))
