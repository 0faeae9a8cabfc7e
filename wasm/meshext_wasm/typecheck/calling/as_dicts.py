"""`dataclasses.asdict`: spelled out, by the types of the fields, as displays of dicts.

    asdict(entry)    # {"id": entry.id, "tags": list(entry.tags), "peer": {"name": entry.peer.name}}

Containers are copied and dataclasses in them become dicts, as in Python. What a field of type `object` holds
nobody knows, so it is refused.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.program import Class
from meshext_wasm.tree.statements import Assign, Statement
from meshext_wasm.tree.types import ClassType, LiteralType, NoneType, ObjectType, TupleType, Type
from meshext_wasm.typecheck.meanings.dispatch import check_expression, check_value
from meshext_wasm.typecheck.meanings.making import class_type, is_failed, refuse, sequence
from meshext_wasm.typecheck.meanings.members_of_enums import is_enumeration
from meshext_wasm.typecheck.meanings.symbols import ClassSymbol, Program, find_field
from meshext_wasm.typecheck.meanings.synthesis import write_code
from meshext_wasm.typecheck.meanings.unions import display, has_none, members_of, without_none

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

SUBJECT = "_subject_"
PLAIN = frozenset("int float bool str bytes range".split())
CONTAINERS = frozenset("list tuple set frozenset dict".split())
IMMUTABLE = ("datetime.", "uuid.", "ipaddress.", "re.")
"""How the library's classes begin whose instances nobody changes, so that none is copied."""


class UnknownError(Exception):
    """A type of which nobody knows what is in it."""


def build_asdict(body: Body, node: ast.Call, _expected: Type | None) -> Expression:
    """`asdict(instance)`."""
    if len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
        return refuse(body, node, "asdict takes an instance", "asdict(x)")
    subject = check_value(body, node.args[0])
    if is_failed(subject):
        return subject
    if dataclass_of(body.program, subject.type) is None:
        return refuse(body, node.args[0], "asdict takes an instance of one dataclass", "narrow it first")
    try:
        text = text_of(body.program, subject.type, SUBJECT, ())
    except UnknownError as error:
        return refuse(body, node, f"asdict does not know {error}", "a dict of the fields by their names")
    variable = body.temporary(SUBJECT, subject.type)
    statements: list[Statement] = [Assign(loc=body.loc(node), variable=variable, value=subject)]
    with body.scope({SUBJECT: variable}):
        wanted = class_type(body.program, "dict", class_type(body.program, "str"), ObjectType())
        return sequence(statements, check_expression(body, written(node, text), wanted))


def written(node: ast.Call, text: str) -> ast.expr:
    """The display, the same each time that the node is checked."""
    kept: tuple[str, ast.expr] | None = getattr(node, "written_out", None)
    if kept is None or kept[0] != text:
        statement = write_code(text, node)
        assert isinstance(statement, ast.Expr)
        kept = text, statement.value
        node.written_out = kept  # type: ignore[attr-defined]  # rounds of checking know nodes apart by identity
    return kept[1]


def dataclass_of(program: Program, type_: Type) -> ClassSymbol | None:
    """The dataclass that a value is an instance of."""
    cls = type_.cls if isinstance(type_, ClassType) else None
    symbol = program.classes.get(cls) if cls is not None else None
    return symbol if symbol is not None and symbol.data_fields and not symbol.named else None


def text_of(program: Program, type_: Type, path: str, above: tuple[Class, ...]) -> str:
    """What stands for a value of a type in the dict; `above` are the dataclasses that it is in."""
    if all(is_plain(each) for each in members_of(type_)):
        return path
    if has_none(type_):
        return f"(None if {path} is None else {text_of(program, without_none(type_), path, above)})"
    symbol = dataclass_of(program, type_)
    if symbol is not None:
        return text_of_fields(program, symbol, path, above)
    if isinstance(type_, TupleType):
        items = [text_of(program, each, f"{path}[{index}]", above) for index, each in enumerate(type_.items)]
        return f"({', '.join(items)},)"
    if not isinstance(type_, ClassType) or type_.cls.name not in (
        "list",
        "tuple",
        "set",
        "frozenset",
        "dict",
    ):
        raise UnknownError(f"what {display(type_)} holds")
    if all(is_plain(each) for argument in type_.arguments for each in members_of(argument)):
        return f"BUILTINS.{type_.cls.name}({path})"
    name = f"_each{path.count('_each')}{len(path)}_"
    inner = text_of(program, type_.arguments[-1], name, above)
    if type_.cls.name == "dict":
        return f"{{_key{name}: {inner} for _key{name}, {name} in {path}.items()}}"
    return f"BUILTINS.{type_.cls.name}([{inner} for {name} in {path}])"


def text_of_fields(program: Program, symbol: ClassSymbol, path: str, above: tuple[Class, ...]) -> str:
    """The display for a dataclass."""
    if symbol.cls in above:
        raise UnknownError(f"how deep {symbol.cls.name} goes")
    if any(each.base is not None and each.base.cls is symbol.cls for each in program.classes.values()):
        raise UnknownError(f"which class below {symbol.cls.name} this is of")
    parts: list[str] = []
    for name in symbol.data_fields:
        slot = find_field(program, symbol, name)
        assert slot is not None
        parts.append(f"{name!r}: {text_of(program, slot[1].type, f'{path}.{name}', (*above, symbol.cls))}")
    return f"{{{', '.join(parts)}}}"


def is_plain(type_: Type) -> bool:
    """Whether a value is the same in the dict as it is."""
    if isinstance(type_, NoneType | LiteralType):
        return True
    if not isinstance(type_, ClassType):
        return False
    cls = type_.cls
    return cls.name in PLAIN or is_enumeration(cls) or cls.symbol.startswith(IMMUTABLE)
