"""Functions that the checker knows itself: what they give, or evaluate, follows from their arguments."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, IsInstance
from meshext_wasm.tree.types import ClassObjectType, ClassType, NeverType, RawType, Rep, TupleType, Type
from meshext_wasm.typecheck import raw, reducing, regular
from meshext_wasm.typecheck.arguments import Argument, Given
from meshext_wasm.typecheck.conversions import to_value
from meshext_wasm.typecheck.dispatch import check_expression, check_value
from meshext_wasm.typecheck.dispatching import over_union
from meshext_wasm.typecheck.making import (
    call_known,
    class_type,
    constant,
    convert,
    is_failed,
    keep,
    narrow,
    refuse,
    sequence,
)
from meshext_wasm.typecheck.members_of_enums import as_collection
from meshext_wasm.typecheck.narrowing import classes_of
from meshext_wasm.typecheck.operators import find_operator, operate
from meshext_wasm.typecheck.partials import build_partial
from meshext_wasm.typecheck.plain_values import hides_plain
from meshext_wasm.typecheck.symbols import FunctionSymbol, SpecialSymbol, Symbol, find_member
from meshext_wasm.typecheck.unions import display, members_of

if TYPE_CHECKING:
    from meshext_wasm.typecheck.body import Body

Known = Callable[["Body", ast.Call, Type | None], Expression]


def find(body: Body, node: ast.Call, symbol: Symbol | None) -> Known | None:
    """How a call of this name is built, where the checker knows it."""
    if isinstance(symbol, SpecialSymbol):
        return SPECIAL.get(symbol.name)
    if isinstance(symbol, FunctionSymbol) and symbol.function.symbol in LIBRARY:
        return LIBRARY[symbol.function.symbol]
    if not isinstance(node.func, ast.Name) or symbol is None:
        return None
    name = node.func.id.removeprefix("builtins:")
    if body.program.builtins.get(name) is not symbol:
        return None
    plain = not node.keywords and not any(isinstance(each, ast.Starred) for each in node.args)
    counts = {"next": (1, 2), "pow": (2,)}.get(name, (1,))
    return BUILTIN.get(name) if plain and len(node.args) in counts else None


def suits(node: ast.Call) -> bool:
    """Whether the one argument stands as it is."""
    return len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred)


def build_isinstance(body: Body, node: ast.Call, _expected: Type | None) -> Expression:
    """`isinstance(value, Class)`; a class that is a value is looked up when it runs."""
    if len(node.args) != 2 or node.keywords:
        return refuse(body, node, "isinstance takes a value and classes", "isinstance(x, C)")
    subject = check_value(body, node.args[0])
    if is_failed(subject):
        return subject
    classes = classes_of(body, node.args[1])
    boolean = class_type(body.program, "bool")
    if classes is None:
        other = check_value(body, node.args[1])
        if is_failed(other) or not are_classes(other.type):
            return refuse(
                body, node.args[1], "this is not known to be a class", "a class, or a tuple of them"
            )
        made = call_known(body, body.loc(node), "builtins.objects.is_instance", subject, other)
        return convert(narrow(made, boolean), Rep.BOOL)
    hidden = hides_plain(body.program, subject.type, classes)
    if hidden is not None:
        reason = (
            f"{display(subject.type)} is kept apart from the {hidden} that it is, so this would not be seen"
        )
        return refuse(body, node, reason, "isinstance with its own class")
    loc = body.loc(node)
    return IsInstance(loc=loc, type=boolean, rep=Rep.BOOL, subject=subject, classes=tuple(classes))


def are_classes(type_: Type) -> bool:
    """Whether values of a type are classes, or tuples of classes."""
    for each in members_of(type_):
        items: tuple[Type, ...] = (each,)
        if isinstance(each, TupleType):
            items = each.items
        elif isinstance(each, ClassType) and each.cls.name == "tuple":
            items = members_of(each.arguments[0])
        if not items or not all(isinstance(item, ClassObjectType) for item in items):
            return False
    return True


def build_cast(body: Body, node: ast.Call, _expected: Type | None) -> Expression:
    """`cast(Type, value)`: believed, so for the library only."""
    from meshext_wasm.typecheck.annotations import to_type as annotated_type

    if not body.function.outside:
        return refuse(body, node, "cast is not checked, so it is not compiled", "narrow it with isinstance")
    wanted = annotated_type(body, node.args[0])
    value = check_expression(body, node.args[1], wanted)
    if is_failed(value) or isinstance(value.type, RawType):
        return value
    return narrow(to_value(body, value, node), wanted)


def build_len(body: Body, node: ast.Call, _expected: Type | None) -> Expression:
    """`len(x)`: the method of its class."""
    subject = as_collection(body, node, check_value(body, node.args[0]))
    if isinstance(subject.type, TupleType) and not is_failed(subject):
        from meshext_wasm.tree.statements import Evaluate

        size = constant(body.program, body.loc(node), len(subject.type.items))
        return sequence([Evaluate(loc=subject.loc, value=subject)], size)
    return over_union(body, node.args[0], subject, lambda one: universal(body, node, one, "__len__"))


def universal(body: Body, node: ast.AST, subject: Expression, name: str) -> Expression:
    """A method that every class has, called on the class that the subject is known to have."""
    from meshext_wasm.typecheck import methods

    method = find_operator(body.program, subject.type, name)
    if not isinstance(method, FunctionSymbol):
        return refuse(body, node, f"there is no {name} here", "convert it first")
    made = methods.call_found(body, node, method, subject, [])
    results = {"__len__": "int", "__hash__": "int", "__repr__": "str", "__str__": "str"}
    return narrow(made, class_type(body.program, results[name])) if not is_failed(made) else made


def build_pow(body: Body, node: ast.Call, _expected: Type | None) -> Expression:
    """`pow(a, b)`: as `a ** b`."""
    left, right = (check_expression(body, each) for each in node.args)
    return operate(body, node, "pow", left, right)


def build_type(body: Body, node: ast.Call, _expected: Type | None) -> Expression:
    """`type(x)`: the class that the value has when it runs."""
    if not suits(node):
        return refuse(body, node, "type() with three arguments makes a class", "class ...")
    subject = check_value(body, node.args[0])
    if is_failed(subject):
        return subject
    made = call_known(body, body.loc(node), "builtins.objects.type_of", subject)
    return narrow(made, ClassObjectType(None))


def number_of_raw(body: Body, node: ast.AST, given: Given, name: str) -> Expression | Given:
    """`int(x)` of a machine number, `float(x)` of a double; other arguments come back checked."""
    (argument,) = given.positional
    value = argument.expression
    if value is None:
        assert isinstance(argument.node, ast.expr)
        value = check_expression(body, argument.node)
    if isinstance(value.type, RawType):
        if name == "float" and value.rep is Rep.FLOAT:
            return narrow(value, class_type(body.program, "float"))
        return raw.to_int(body, node, value)
    if isinstance(value.type, NeverType):
        return value
    return Given((replace(argument, expression=value),), given.keywords)


def build_replace(body: Body, node: ast.Call, expected: Type | None) -> Expression:
    """`dataclasses.replace(instance, field=value)`: a new instance with the other fields of this one."""
    from meshext_wasm.typecheck.attributes import read_attribute
    from meshext_wasm.typecheck.construct import construct

    if len(node.args) != 1 or any(each.arg is None for each in node.keywords):
        return refuse(body, node, "replace takes an instance and fields by name", "replace(x, name=value)")
    subject = check_value(body, node.args[0])
    cls = subject.type.cls if isinstance(subject.type, ClassType) else None
    symbol = body.program.class_symbol(cls) if cls is not None else None
    init = find_member(body.program, symbol, "__init__") if symbol else None
    if is_failed(subject) or symbol is None or not isinstance(init, FunctionSymbol):
        return refuse(body, node.args[0], "replace takes an instance of one dataclass", "narrow it first")
    with body.collect() as statements:
        kept = keep(body, statements, subject)
    changed = {each.arg: Argument(each.value) for each in node.keywords}
    others = {
        each.name: Argument(node, read_attribute(body, node, kept, each.name))
        for each in init.signature.parameters
        if each.name not in changed
    }
    given = Given(keywords=(*changed.items(), *others.items()))
    return sequence(statements, construct(body, node, symbol, given, expected))


def build_assert_never(body: Body, node: ast.Call, _expected: Type | None) -> Expression:
    """`assert_never(x)`: refused unless nothing is left that x can be."""
    if not suits(node):
        return refuse(body, node, "assert_never takes one value", "assert_never(x)")
    value = check_value(body, node.args[0])
    if isinstance(value.type, NeverType):
        return value
    words = f"{display(value.type)} is not dealt with here"
    return refuse(body, node.args[0], words, "a branch for it before")


SPECIAL: dict[str, Known] = {
    "isinstance": build_isinstance,
    "cast": build_cast,
    "type": build_type,
    "replace": build_replace,
    "partial": build_partial,
    "assert_never": build_assert_never,
}
LIBRARY: dict[str, Known] = {"re.findall": regular.build_items, "re.split": regular.build_items}
BUILTIN: dict[str, Known] = {
    "len": build_len,
    "any": reducing.build_any,
    "all": reducing.build_all,
    "sum": reducing.build_sum,
    "next": reducing.build_next,
    "type": build_type,
    "pow": build_pow,
}
