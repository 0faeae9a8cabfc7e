"""What becomes of a checked unit: IR, passes, LLVM, objects. Everything between can be looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshext_wasm.build.cache import Cache
from meshext_wasm.build.emitting import compile_texts
from meshext_wasm.ir.build.unit import build_unit
from meshext_wasm.ir.program import Unit
from meshext_wasm.link.kept import AnyObject
from meshext_wasm.link.starting import Body
from meshext_wasm.llvm.copies import NONE, Copies, choose_copies
from meshext_wasm.llvm.text import Text
from meshext_wasm.llvm.unit import lower_unit
from meshext_wasm.passes.pipeline import run_passes
from meshext_wasm.tree import program as tree
from meshext_wasm.tree.program import Loc

HOT = {
    "digests/": "digests",
    "re/": "patterns",
    "json/": "json",
    "meshext/": "exchanges",
    "proxy/": "exchanges",
    "builtins/limbs.py": "big integers",
    "builtins/division.py": "big integers",
    "builtins/integers.py": "big integers",
    "builtins/arrays.py": "containers",
    "builtins/bytes": "containers",
    "builtins/decoding.py": "containers",
    "builtins/dicts.py": "containers",
    "builtins/encod": "containers",
    "builtins/hashing.py": "containers",
    "builtins/indices.py": "containers",
    "builtins/lists.py": "containers",
    "builtins/objects.py": "containers",
    "builtins/ordering.py": "containers",
    "builtins/table": "containers",
    "builtins/text": "containers",
    "builtins/tuples.py": "containers",
}
"""Files of the library, by how their names begin, that are one object, so that LLVM copies small functions
from one to the other, and that are optimised thoroughly though they are the library's."""

COOL = frozenset(
    {
        *(f"proxy/{each}.py" for each in ("configuring", "failing", "json_reader", "problems", "secrets")),
        *(f"proxy/{each}.py" for each in ("shapes", "similar", "traceback", "wording")),
        *(
            f"re/{each}.py"
            for each in ("escapes", "flags", "looking", "nodes", "parsing", "program", "scanner")
        ),
    }
)
"""Files of these that run when a filter is configured or has failed: each an object that is to be small."""

IN_PLACE = frozenset(
    {
        *(f"proxy.arriving.Arriving.{each}" for each in ("ask", "count")),
        "proxy.bounds.fits_by_far",
        "proxy.callbacks.request_begins",
        *(f"proxy.commit.{each}" for each in ("edits", "lines", "write_values")),
        *(f"proxy.hooks.{each}" for each in ("attempt_request", "check_headers", "loses", "meet_request")),
        "proxy.host.read_header",
        *(f"proxy.quota.Quota.{each}" for each in ("begin", "end")),
        "proxy.surrounding.read_surroundings",
        *(f"builtins.hashing.{each}" for each in ("hash_wide", "hash_word")),
        *(f"builtins.tables.{each}" for each in ("same_key", "Table.value_of")),
        "proxy.program.installed",
        *(f"meshext.headers.{each}" for each in ("Headers._check_open", "open_headers")),
        *(f"meshext.legal.{each}" for each in ("holds_control", "lower_name")),
        "meshext.lines.Lines.is_edited",
        "meshext.message.Message.load_lines",
        *(f"meshext.request.AnyRequest.{each}" for each in ("has_additions", "load_line", "read_line")),
    }
)
"""Functions of these that every request passes and that few others call: their calls become their code. A
call costs a request up to twenty instructions and a line of the cache or two."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """Objects with what the linker must know of them: bodies of modules in their order, exports by name.

    `copies` are small functions that other units may copy.
    """

    objects: tuple[AnyObject, ...]
    bodies: tuple[Body, ...] = ()
    exports: dict[str, str] = field(default_factory=dict)
    copies: Copies = NONE


def build_ir(unit: tree.Unit, others: Copies = NONE) -> Unit:
    """The IR after all passes, with what they may take from other units."""
    built = build_unit(unit)
    built.inits, built.constants = others.inits, others.constants
    built.signatures = {**others.signatures, **built.signatures}
    run_passes(built)
    return built


def compile_program(unit: tree.Unit, cache: Cache, copies: Copies) -> Compiled:
    """The objects of a program, with small functions of the library copied into them. The bodies of its
    modules run even if nothing reads their globals, and all of it is optimised thoroughly."""
    built = build_ir(unit, copies)
    texts = [Text(part.name, lower_unit(part, copies), thorough=True) for part in split_unit(built)]
    objects = compile_texts(texts, cache)
    return Compiled(tuple(objects), bodies_of(unit, always=True), exports_of(built))


def compile_unit(unit: tree.Unit, cache: Cache) -> Compiled:
    """The objects of the library; only HOT files are optimised thoroughly."""
    built = build_ir(unit)
    copies = choose_copies(built)
    texts = []
    for part in split_unit(built):
        thorough = part.name in HOT.values()
        lowered = lower_unit(part, copies if thorough else NONE, compact=not thorough, in_place=IN_PLACE)
        texts.append(Text(part.name, lowered, thorough))
    objects = compile_texts(texts, cache)
    return Compiled(tuple(objects), bodies_of(unit, always=False), exports_of(built), copies)


def split_unit(unit: Unit) -> list[Unit]:
    """A part for each source file: what did not change need not be compiled again."""
    parts: dict[str, Unit] = {}

    def part(loc: Loc) -> Unit:
        name = part_of(loc.file)
        return parts.setdefault(name, Unit(name, signatures=unit.signatures))

    for function in unit.functions:
        part(function.loc).functions.append(function)
    for cls in unit.classes:
        part(cls.loc).classes.append(cls)
    variables = Unit(f"variables of {unit.name}", globals=unit.globals)
    return [*parts.values(), variables]


def part_of(file: str) -> str:
    """The part that a source file belongs to."""
    if file in COOL:
        return file
    return next((part for start, part in HOT.items() if file.startswith(start)), file)


def bodies_of(unit: tree.Unit, *, always: bool) -> tuple[Body, ...]:
    """The functions that run the modules."""
    return tuple(
        Body(
            f"fn:{module.body.symbol}",
            None if always else frozenset(each.symbol for each in module.globals),
        )
        for module in unit.modules
        if module.body is not None
    )


def exports_of(unit: Unit) -> dict[str, str]:
    """Functions that the proxy may call, by the name that it knows."""
    return {each.export: f"fn:{each.symbol}" for each in unit.functions if each.export}
