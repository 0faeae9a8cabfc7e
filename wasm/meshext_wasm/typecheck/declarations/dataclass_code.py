"""What `@dataclass`, `__eq__`, `__len__` and the SDK promise a class, written as source and then checked."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, Intrinsic, Local, Unset
from meshext_wasm.tree.types import ClassType, NeverType, Rep, Type
from meshext_wasm.typecheck.declarations.dataclass_fields import DataField, all_fields
from meshext_wasm.typecheck.declarations.declared import ClassWork, Declared, Definition
from meshext_wasm.typecheck.declarations.enums import declare_enum, is_enum
from meshext_wasm.typecheck.declarations.flags import declare_flags
from meshext_wasm.typecheck.declarations.members import declare_method
from meshext_wasm.typecheck.declarations.total_order import is_total, total_order
from meshext_wasm.typecheck.meanings.making import class_type
from meshext_wasm.typecheck.meanings.members_of_enums import is_flag
from meshext_wasm.typecheck.meanings.symbols import ClassSymbol, find_member
from meshext_wasm.typecheck.meanings.synthesis import Ready, Typed, write_code

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

COMPARE = """
def {name}(self, other: BUILTINS.object) -> BUILTINS.bool:
    if BUILTINS.isinstance(other, OWNER) and KNOWN.builtins.classes.same_class(other, self):
        return ({left}) {sign} ({right})
    return BUILTINS.NotImplemented
"""
SIGNS = {"__eq__": "==", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}
HASH = "def __hash__(self) -> BUILTINS.int:\n    return BUILTINS.hash(({left}))"
UNHASHABLE = "def __hash__(self) -> BUILTINS.int:\n    KNOWN.builtins.errors.unhashable(self)"
BOOL = "def __bool__(self) -> BUILTINS.bool:\n    return self.__len__() != 0"
CONFIGURED = "def __init__(self, config: CONFIG) -> None:\n    self.config = config"


NAMED_COMPARE = """
def {name}(self, other: BUILTINS.object) -> BUILTINS.bool:
    if BUILTINS.isinstance(other, OWNER):
        return ({left}) {sign} ({right})
    if BUILTINS.isinstance(other, BUILTINS.tuple):
        return ({left}) {sign} other
    return BUILTINS.NotImplemented
"""
LENGTH = "def __len__(self) -> BUILTINS.int:\n    return {count}"
AS_DICT = "def _asdict(self) -> BUILTINS.dict[BUILTINS.str, BUILTINS.object]:\n    return {{{pairs}}}"


def synthesise(declared: Declared, work: ClassWork) -> None:
    """Add the methods that a decorator or a method promises."""
    if work.dataclass is not None:
        write_dataclass(declared, work, work.dataclass)
    if is_enum(work):
        values = declare_enum(declared, work)
        if is_flag(work.symbol.cls):
            declare_flags(declared, work, values)
    if not work.outer.is_library and is_total(work):
        for text, taken in total_order(work):
            add(declared, work, text, {"TAKEN": taken})
    members = work.symbol.members
    if work.outer.is_library and not work.dataclass:
        return
    if "__eq__" in members and "__hash__" not in members:
        add(declared, work, UNHASHABLE)
    if "__len__" in members and "__bool__" not in members:
        add(declared, work, BOOL)
    if is_bare_filter(work):
        config = Typed(class_type_of(members["Config"]))
        add(declared, work, CONFIGURED, {"CONFIG": config})


def class_type_of(symbol: object) -> Type:
    """The type of a class's instances."""
    assert isinstance(symbol, ClassSymbol)
    return ClassType(symbol.cls)


def is_bare_filter(work: ClassWork) -> bool:
    """A class below the SDK's Filter that has a Config, and nobody who takes it."""
    symbol, program = work.symbol, work.outer.program
    if not isinstance(symbol.members.get("Config"), ClassSymbol) or find_member(program, symbol, "__init__"):
        return False
    base = symbol.base
    while base is not None:
        if base.cls.symbol.startswith("meshext.") and base.cls.name == "Filter":
            return True
        base = program.class_symbol(base.cls).base
    return False


def add(declared: Declared, work: ClassWork, text: str, parts: dict[str, ast.AST] | None = None) -> None:
    """Write a method into a class."""
    node = write_code(text, work.node, parts)
    assert isinstance(node, Definition)
    declare_method(declared, work, work.outer.inside(work.symbol), node)
    work.written.append(node)


def write_dataclass(declared: Declared, work: ClassWork, options: dict[str, bool]) -> None:
    """All methods of a dataclass that it does not have itself."""
    fields = all_fields(declared, work)
    declared.data[work.symbol] = fields
    own = set(work.symbol.members)
    work.symbol.frozen = options.get("frozen", False)
    work.symbol.data_fields = tuple(each.name for each in fields if each.option("init"))
    compared = [each for each in fields if each.option("compare")]
    if options.get("init", True) and "__init__" not in own:
        write_init(declared, work, fields, options)
    if options.get("repr", True) and "__repr__" not in own:
        add(declared, work, repr_text(work, [each for each in fields if each.option("repr")]))
    names = ["__eq__"] if options.get("eq", True) else []
    names += [each for each in SIGNS if each != "__eq__"] if options.get("order", False) else []
    left, right = items("self", compared), items("other", compared)
    for name in names:
        if name not in own:
            add(declared, work, COMPARE.format(name=name, left=left, sign=SIGNS[name], right=right))
    if work.symbol.named:
        write_named(declared, work, fields)
        return
    hashed = options.get("frozen", False) and options.get("eq", True)
    if "__hash__" not in own and (hashed or options.get("unsafe_hash", False)):
        add(declared, work, HASH.format(left=left))


def write_named(declared: Declared, work: ClassWork, fields: list[DataField]) -> None:
    """What a NamedTuple has of a tuple while its class is not known."""
    own, left, right = set(work.symbol.members), items("self", fields), items("other", fields)
    for name, sign in SIGNS.items():
        if name not in own:
            text = NAMED_COMPARE.format(name=name, left=left, sign=sign, right=right)
            add(declared, work, text)
    add(declared, work, HASH.format(left=left))
    add(declared, work, LENGTH.format(count=len(fields)))
    pairs = ", ".join(f"{each.name!r}: self.{each.name}" for each in fields)
    add(declared, work, AS_DICT.format(pairs=pairs))


def items(owner: str, fields: list[DataField]) -> str:
    """`self.a, self.b,`."""
    return "".join(f"{owner}.{each.name}, " for each in fields)


def repr_text(work: ClassWork, fields: list[DataField]) -> str:
    """`Config(a=1, b='x')`, by the class's qualified name."""
    path = work.symbol.cls.symbol.removeprefix(work.outer.module.name + ".")
    inside = ", ".join(f"{each.name}={{self.{each.name}!r}}" for each in fields)
    return f'def __repr__(self) -> BUILTINS.str:\n    return f"{path}({inside})"'


def write_init(
    declared: Declared, work: ClassWork, fields: list[DataField], options: dict[str, bool]
) -> None:
    """The constructor: parameters in the order of the fields, `__post_init__` at the end."""
    parts: dict[str, ast.AST] = {}
    check_order(work, fields, options)
    seen = False
    plain: list[str] = ["self"]
    keyword: list[str] = []
    lines: list[str] = []
    for index, each in enumerate(fields):
        parts[f"TYPE_{index}"] = Typed(each.type)
        if each.option("init"):
            seen = seen or each.optional
            parts[f"DEFAULT_{index}"] = Ready(lambda body, each=each: unset(body, each))  # type: ignore[misc]
            text = f"{each.name}: TYPE_{index}" + (f" = DEFAULT_{index}" if seen else "")
            named = each.option("kw_only", options.get("kw_only", False))
            (keyword if named else plain).append(text)
        lines += set_field(each, index, parts)
    if "__post_init__" in work.symbol.members or find_member(
        work.outer.program, work.symbol, "__post_init__"
    ):
        lines.append("self.__post_init__()")
    heads = plain + (["*", *keyword] if keyword else [])
    body = "\n    ".join(lines or ["pass"])
    add(declared, work, f"def __init__({', '.join(heads)}) -> None:\n    {body}", parts)


def set_field(each: DataField, index: int, parts: dict[str, ast.AST]) -> list[str]:
    """The statements that give one field its value."""
    name, given = each.name, f"DEFAULT_{index}"
    if each.factory is not None:
        parts[f"FACTORY_{index}"] = each.factory
        make = f"self.{name} = FACTORY_{index}()"
        if not each.option("init"):
            return [make]
        parts[given] = Ready(lambda body: unset(body, each))
        parts[f"UNSET_{index}"] = Ready(lambda body: is_unset(body, name, each))
        return [f"if UNSET_{index}:", f"    {make}", "else:", f"    self.{name} = {name}"]
    if each.default is not None:
        default = each.default
        parts[given] = Ready(lambda _: default)
        if not each.option("init"):
            return [f"self.{name} = {given}"]
    return [f"self.{name} = {name}"] if each.option("init") else []


def unset(body: Body, each: DataField) -> Expression:
    """The mark of an argument that was not given."""
    return Unset(loc=body.loc(each.node), type=each.type)


def is_unset(body: Body, name: str, each: DataField) -> Expression:
    """Whether an argument was not given."""
    loc, variable = body.loc(each.node), body.variable(name)
    given = Local(loc=loc, type=each.type, variable=variable)
    mark = Unset(loc=loc, type=NeverType())
    boolean = class_type(body.program, "bool")
    return Intrinsic(loc=loc, type=boolean, rep=Rep.BOOL, name="value.is", arguments=(given, mark))


def check_order(work: ClassWork, fields: list[DataField], options: dict[str, bool]) -> None:
    """A field without default can not follow one that has one."""
    seen = ""
    for each in fields:
        if not each.option("init") or each.option("kw_only", options.get("kw_only", False)):
            continue
        if each.optional:
            seen = each.name
        elif seen:
            reason = f"{each.name} has no default, but {seen} before it has"
            work.outer.report(each.node, reason, f"{each.name} before {seen}, or a default for it")
