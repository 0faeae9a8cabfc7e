"""Objects to a module, in one readable function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshext_wasm.link import encoding
from meshext_wasm.link.encoding import MAGIC, section, text, unsigned, vector
from meshext_wasm.link.kept import AnyObject, at_hand
from meshext_wasm.link.layout import Layout, in_table, place_all
from meshext_wasm.link.liveness import Live, find_live
from meshext_wasm.link.objects import Code, ObjectFile, SymbolKind
from meshext_wasm.link.relocation import relocated
from meshext_wasm.link.starting import START, Body, add_bodies, fill_start, start_object
from meshext_wasm.link.symbols import Symbols, raise_problems

FUNCTION_KIND, MEMORY_KIND = 0, 2
I32_CONST, END = 0x41, 0x0B


def link(
    objects: Sequence[AnyObject],
    *,
    exports: Mapping[str, str],
    bodies: Sequence[Body] = (),
    names: Mapping[str, str] | None = None,
    nameless: Sequence[AnyObject] = (),
) -> bytes:
    """A module of what the exports need, and its memory as `memory`.

    `exports` maps the exported name to a function's symbol. `bodies` run in their order by the function
    START, which can be exported too. `names` maps symbols to what a trap's backtrace shows; functions of
    `nameless` objects are shown by number. LinkError names all that is missing or does not fit.
    """
    symbols = Symbols([*objects, start_object()])
    roots = {name: found for name, symbol in exports.items() if (found := exported(symbols, name, symbol))}
    live = find_live(symbols, roots.values())
    running = add_bodies(symbols, live, bodies) if START in exports.values() else []
    raise_problems(symbols)
    live.names = {id(code): exports[name] for name, (_, code) in roots.items()} | live.names
    layout = place_all(live)
    fill_start(live, layout, running)
    code, data = code_section(live, layout), data_section(live, layout)
    return b"".join(
        [
            MAGIC,
            section(1, type_section(layout)),
            section(2, import_section(live, layout)),
            section(3, vector([unsigned(layout.types[each.signature]) for _, each in live.functions])),
            section(4, b"\x01\x70\x01" + 2 * unsigned(len(live.indirect) + 1)),
            section(5, b"\x01\x00" + unsigned(layout.pages)),
            section(6, b"\x01\x7f\x01" + constant(layout.stack_top) if live.stack_pointer else b""),
            section(7, export_section(layout, {name: each for name, (_, each) in roots.items()})),
            section(9, element_section(live, layout)),
            section(10, code),
            section(11, data),
            section(0, name_section(live, names or {}, identities(nameless))),
        ]
    )


def identities(objects: Sequence[AnyObject]) -> frozenset[int]:
    """The identities of those that were read."""
    return frozenset(id(made) for each in objects for made in at_hand(each).made)


def exported(symbols: Symbols, name: str, symbol: str) -> tuple[ObjectFile, Code] | None:
    """The function to be exported under a name."""
    found = symbols.named(symbol)
    if found is None or found[1].kind is not SymbolKind.FUNCTION:
        symbols.problems.append(f"{symbol!r}, to be exported as {name!r}, is no function of any object")
        return None
    holder, definition = found
    return holder, holder.functions[definition.index - len(holder.imports)]


def sized(raw: bytes) -> bytes:
    """Bytes with their count in front."""
    return unsigned(len(raw)) + raw


def constant(number: int) -> bytes:
    """An expression that is a number of 32 bits."""
    return bytes([I32_CONST]) + encoding.signed(number) + bytes([END])


def type_section(layout: Layout) -> bytes:
    """Every type of a function once."""
    return vector([b"\x60" + sized(each.parameters) + sized(each.results) for each in layout.types])


def import_section(live: Live, layout: Layout) -> bytes:
    """The functions of the proxy."""
    rows = [
        text(each.module) + text(each.name) + b"\0" + unsigned(layout.types[each.signature])
        for each in live.hosts
    ]
    return vector(rows) if rows else b""


def export_section(layout: Layout, functions: Mapping[str, Code]) -> bytes:
    """The memory, then functions."""
    rows = [text("memory") + bytes([MEMORY_KIND, 0])]
    for name, code in functions.items():
        rows.append(text(name) + bytes([FUNCTION_KIND]) + unsigned(layout.functions[id(code)]))
    return vector(rows)


def element_section(live: Live, layout: Layout) -> bytes:
    """The functions that are called by place in the table; place 0 stays empty, so that 0 traps."""
    if not live.indirect:
        return b""
    numbers = vector([unsigned(layout.functions[id(each)]) for each in in_table(live)])
    return b"\x01\x00" + constant(1) + numbers


def code_section(live: Live, layout: Layout) -> bytes:
    """The functions' bodies."""
    return vector([sized(relocated(live, layout, *each)) for each in live.functions])


def data_section(live: Live, layout: Layout) -> bytes:
    """Data in one piece, without the zeros at its end: memory is zero from the start."""
    if not layout.placed:
        return b""
    start = layout.placed[0][0]
    image = bytearray()
    for address, holder, segment in layout.placed:
        image += bytes(address - start - len(image))
        image += relocated(live, layout, holder, segment)
    raw = bytes(image).rstrip(b"\0")
    return b"\x01\x00" + constant(start) + sized(raw) if raw else b""


def name_section(live: Live, names: Mapping[str, str], nameless: frozenset[int]) -> bytes:
    """Names of functions, for backtraces; `nameless` are objects whose functions have none, by identity."""
    rows = [
        unsigned(number) + text(names.get(each.name, each.name)) for number, each in enumerate(live.hosts)
    ]
    for number, (holder, code) in enumerate(live.functions, start=len(live.hosts)):
        if id(holder) not in nameless:
            symbol = live.names[id(code)]
            rows.append(unsigned(number) + text(names.get(symbol, symbol.removeprefix("fn:"))))
    return text("name") + b"\x01" + sized(vector(rows))
