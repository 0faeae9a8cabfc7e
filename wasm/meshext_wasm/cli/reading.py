"""What the hooks of a checked program read and write of the messages, from the program itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from meshext import Filter
from meshext_wasm.tree.expressions import (
    Call,
    CallMethod,
    Constant,
    Expression,
    MakeFunction,
    ReadField,
)
from meshext_wasm.tree.program import Class, Function, Unit
from meshext_wasm.tree.statements import Statement
from meshext_wasm.tree.types import ClassType

PARTS = frozenset(
    "method scheme host hostname target path query cookies peer client_address route cluster id body "
    "status metadata".split()
)
"""Properties of a message that are worth a word."""

SURROUNDINGS = {"attribute": "attribute", "set_metadata": "metadata key"}
MAPS = {"headers": "header", "trailers": "trailer", "response_headers": "header"}
READS = frozenset({"__getitem__", "get", "get_all", "joined", "__contains__"})
READS_ALL = frozenset({"items", "keys", "names", "values", "__iter__", "__len__"})
WRITES = frozenset({"__setitem__", "set_all", "add", "__delitem__"})
SDK = "meshext."
HEADERS = ("meshext.headers.Headers", "meshext.headers.ResponseAdditions")
QUERIES = {"meshext.query.Query": "request.query"}
STORES = ("meshext.store.Store",)
STORE_READS = frozenset({"get", "add", "compare_and_set", "take"})
STORE_WRITES = frozenset({"set", "delete", "add", "compare_and_set", "take"})


@dataclass(slots=True)
class Touched:
    """What was found, in the order in which it was."""

    reads: dict[str, None] = field(default_factory=dict)
    writes: dict[str, None] = field(default_factory=dict)


def find_hook(unit: Unit, cls: type[Filter], hook: str) -> Function | None:
    """The function of a hook, in the class that defines it."""
    owner = next((each for each in cls.__mro__ if hook in vars(each)), None)
    if owner is None:
        return None
    ending = f".{owner.__qualname__}.{hook}"
    return next((each for each in functions_of(unit) if each.symbol.endswith(ending)), None)


def functions_of(unit: Unit) -> Iterator[Function]:
    """Every function of the program's own modules, methods included."""
    for module in unit.modules:
        yield from module.functions
        for cls in module.classes:
            yield from cls.functions.values()


def touch(unit: Unit, hook: Function) -> Touched:
    """What a hook and all that it may call in the program touch."""
    own = {each.symbol for each in functions_of(unit)}
    classes = [cls for module in unit.modules for cls in module.classes]
    found = Touched()
    open_functions, seen = [hook], {hook.symbol}
    while open_functions:
        for node in walk(open_functions.pop().body):
            note(node, found)
            if isinstance(node, Call) and node.function.symbol not in own:
                note_handed_over(node, found)
            for called in called_by(node, classes):
                if called.symbol not in seen and (called.symbol in own or isinstance(node, MakeFunction)):
                    seen.add(called.symbol)
                    open_functions.append(called)
    return found


def walk(node: object) -> Iterator[Expression]:
    """Every expression below a statement or an expression, the outermost first."""
    if isinstance(node, list | tuple):
        for each in node:
            yield from walk(each)
    elif isinstance(node, Expression | Statement):
        if isinstance(node, Expression):
            yield node
        for each in fields(node):
            yield from walk(getattr(node, each.name))


def called_by(node: Expression, classes: list[Class]) -> Iterator[Function]:
    """The functions that may run where this stands; of a method every one that it may be."""
    if isinstance(node, Call | MakeFunction):
        yield node.function
    elif isinstance(node, CallMethod):
        for cls in classes:
            if is_below(cls, node.method.owner):
                yield cls.table[node.method.index]


def is_below(cls: Class | None, owner: Class) -> bool:
    """Whether a class is another one or below it."""
    while cls is not None and cls is not owner:
        cls = cls.base
    return cls is owner


def note(node: Expression, found: Touched) -> None:
    """Remember what one call touches."""
    match node:
        case Call(function=function, arguments=(subject, *rest)) if function.symbol.startswith(SDK):
            owner, _, name = function.symbol.removesuffix(".setter").rpartition(".")
            written = function.symbol.endswith(".setter")
        case CallMethod(method=method, subject=subject, arguments=rest):
            owner = subject.type.cls.symbol if isinstance(subject.type, ClassType) else ""
            name, written = method.name, False
        case _:
            return
    if owner in HEADERS:
        note_header(subject, name, list(rest), found)
    elif owner in STORES:
        note_store(name, list(rest), found)
    elif name in SURROUNDINGS and owner.startswith(SDK):
        (found.reads if name == "attribute" else found.writes)[named(SURROUNDINGS[name], list(rest))] = None
    elif owner in QUERIES and name in (*WRITES, "clear"):
        found.writes[QUERIES[owner]] = None
    elif name in PARTS and owner.startswith(SDK):
        (found.writes if written else found.reads)[f"{side(subject)}.{name}"] = None


def note_header(subject: Expression, name: str, rest: list[Expression], found: Touched) -> None:
    """Remember a header, or all of them."""
    where, kind = line_of(subject)
    what = named(f"{where} {kind}", rest)
    if name in READS_ALL:
        found.reads[f"every {where} {kind}"] = None
    elif name in READS:
        found.reads[what] = None
    elif name in WRITES:
        found.writes[what] = None


def note_store(name: str, rest: list[Expression], found: Touched) -> None:
    """Remember what of the store is read and written."""
    what = "store limits" if name == "take" else named("store key", rest)
    if name in STORE_READS:
        found.reads[what] = None
    if name in STORE_WRITES:
        found.writes[what] = None


def named(kind: str, arguments: list[Expression]) -> str:
    """One of a kind, by the name that the first argument is."""
    match arguments:
        case [Constant(value=str(key)), *_]:
            return f"{kind} {key.lower() if 'header' in kind or 'trailer' in kind else key}"
        case _:
            return f"{'an' if kind[0] == 'a' else 'a'} {kind} by a computed name"


def note_handed_over(node: Call, found: Touched) -> None:
    """Remember headers that the library goes over as a whole, as in `list(request.headers)`."""
    method = node.function.symbol.rpartition(".")[0] in HEADERS
    for each in node.arguments[1:] if method else node.arguments:
        if isinstance(each.type, ClassType) and each.type.cls.symbol in HEADERS:
            where, kind = line_of(each)
            found.reads[f"every {where} {kind}"] = None


def line_of(subject: Expression) -> tuple[str, str]:
    """Whose line: request or response, header or trailer."""
    if isinstance(subject, Call) and subject.arguments:
        name = subject.function.symbol.rpartition(".")[2]
        if name in MAPS:
            where = "response" if name == "response_headers" else side(subject.arguments[0])
            return where, MAPS[name]
    return "message's", "header"


def side(subject: Expression) -> str:
    """`request` or `response`, by the type of the message."""
    if isinstance(subject, ReadField):
        return subject.field.name
    kind = subject.type
    name = kind.cls.name if isinstance(kind, ClassType) else ""
    return "response" if "Response" in name else "request"
