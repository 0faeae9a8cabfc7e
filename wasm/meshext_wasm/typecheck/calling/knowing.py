"""Functions that the checker knows itself: what they give, or evaluate, follows from their arguments."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, IsInstance
from meshext_wasm.tree.types import (
    ClassObjectType,
    ClassType,
    NeverType,
    ObjectType,
    RawType,
    Rep,
    TupleType,
    Type,
    UnionType,
)
from meshext_wasm.typecheck.calling import reducing, regular
from meshext_wasm.typecheck.calling.arguments import Argument, Given
from meshext_wasm.typecheck.calling.as_dicts import build_asdict
from meshext_wasm.typecheck.calling.partials import build_partial
from meshext_wasm.typecheck.expressions import raw
from meshext_wasm.typecheck.expressions.operators import find_operator, is_number, operate
from meshext_wasm.typecheck.meanings.conversions import to_value
from meshext_wasm.typecheck.meanings.dispatch import check_expression, check_value
from meshext_wasm.typecheck.meanings.dispatching import over_union
from meshext_wasm.typecheck.meanings.making import (
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
from meshext_wasm.typecheck.meanings.members_of_enums import as_collection
from meshext_wasm.typecheck.meanings.narrowing import classes_of
from meshext_wasm.typecheck.meanings.plain_values import hides_plain
from meshext_wasm.typecheck.meanings.symbols import (
    ClassSymbol,
    FunctionSymbol,
    Overloads,
    SpecialSymbol,
    Symbol,
    find_member,
)
from meshext_wasm.typecheck.meanings.unions import display, members_of, without_none

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

Known = Callable[["Body", ast.Call, Type | None], Expression]


def find(body: Body, node: ast.Call, symbol: Symbol | None) -> Known | None:
    """How a call of this name is built, where the checker knows it."""
    if isinstance(symbol, SpecialSymbol):
        return SPECIAL.get(symbol.name)
    if isinstance(symbol, FunctionSymbol) and symbol.function.symbol in LIBRARY:
        return LIBRARY[symbol.function.symbol]
    if isinstance(symbol, ClassSymbol) and symbol.cls.symbol in LIBRARY:
        return LIBRARY[symbol.cls.symbol]
    if not isinstance(node.func, ast.Name) or symbol is None:
        return None
    name = node.func.id.removeprefix("builtins:")
    if body.program.builtins.get(name) is not symbol:
        return None
    plain = not node.keywords and not any(isinstance(each, ast.Starred) for each in node.args)
    counts = {"next": (1, 2), "pow": (2,), "divmod": (2,), "filter": (2,)}.get(name, (1,))
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
    """`cast(Type, value)`: the library is believed, a program's is tested."""
    from meshext_wasm.typecheck.declarations.annotations import to_type as annotated_type

    wanted = annotated_type(body, node.args[0])
    value = check_expression(body, node.args[1], wanted)
    if is_failed(value) or isinstance(value.type, RawType):
        return value
    value = to_value(body, value, node)
    return narrow(value, wanted) if body.function.outside else tested_cast(body, node, value, wanted)


def tested_cast(body: Body, node: ast.Call, value: Expression, wanted: Type) -> Expression:
    """What of a wide type has to be of another: TypeError where it is not."""
    from meshext_wasm.typecheck.meanings.conversions import to_type

    if isinstance(value.type, ObjectType):
        value = narrow(value, ObjectType(unknown=True))
    elif isinstance(value.type, UnionType):
        value = narrow(value, replace(value.type, loose=True))
    return to_type(body, value, wanted, node)


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
    from meshext_wasm.typecheck.calling import methods

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


def build_by_method(body: Body, node: ast.Call, _expected: Type | None) -> Expression:
    """`abs(x)` and `divmod(x, y)`: the method of a class that has one, else the function."""
    from meshext_wasm.typecheck.calling.arguments import given_of
    from meshext_wasm.typecheck.calling.functions import call_symbol
    from meshext_wasm.typecheck.calling.methods import accepts, call_found

    assert isinstance(node.func, ast.Name)
    name = node.func.id.removeprefix("builtins:")
    first, *others = [check_value(body, each) for each in node.args]
    plain = is_failed(first) or is_number(body.program, first.type)
    method = None if plain else find_operator(body.program, first.type, f"__{name}__")
    if method is not None and accepts(body, method, first, others):
        return call_found(body, node, method, first, others)
    function = body.program.builtins[name]
    assert isinstance(function, FunctionSymbol | Overloads)
    return call_symbol(body, node, function, given_of(node, [first, *others]))


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
    several = len(members_of(value.type)) > 1 and any(map(is_text, members_of(value.type)))
    if several or (name == "int" and any(int_method(body, each) for each in members_of(value.type))):
        return over_union(body, argument.node, value, lambda one: number_of(body, node, one, name))
    return Given((replace(argument, expression=value),), given.keywords)


def int_method(body: Body, type_: Type) -> FunctionSymbol | None:
    """The `__int__` of a class that has one."""
    view = type_ if isinstance(type_, ClassType) else None
    symbol = body.program.class_symbol(view.cls) if view is not None else None
    found = find_member(body.program, symbol, "__int__") if symbol is not None else None
    return found if isinstance(found, FunctionSymbol) else None


def is_text(type_: Type) -> bool:
    """Whether it is str or bytes, which are read and not converted."""
    return isinstance(type_, ClassType) and type_.cls.symbol in ("builtins.str", "builtins.bytes")


def number_of(body: Body, node: ast.AST, one: Expression, name: str) -> Expression:
    """`int(x)` or `float(x)` of a value of one class."""
    from meshext_wasm.typecheck.calling.arguments import given_of
    from meshext_wasm.typecheck.calling.functions import call_symbol
    from meshext_wasm.typecheck.calling.methods import call_found

    found = int_method(body, one.type) if name == "int" else None
    if found is not None:
        return call_found(body, node, found, one, [])
    constructors = body.program.class_symbol(body.program.builtin_class(name)).constructors
    return call_symbol(body, node, Overloads(name, constructors), given_of(node, [one]))


def build_replace(body: Body, node: ast.Call, expected: Type | None) -> Expression:
    """`dataclasses.replace(instance, field=value)`: a new instance with the other fields of this one."""
    from meshext_wasm.typecheck.calling.construct import construct
    from meshext_wasm.typecheck.expressions.attributes import read_attribute

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


def build_reduce(body: Body, node: ast.Call, expected: Type | None) -> Expression:
    """`functools.reduce(f, items)`, or with what it begins with."""
    from meshext_wasm.typecheck.calling.arguments import given_of_call
    from meshext_wasm.typecheck.calling.functions import call_symbol

    plain = len(node.args) == 2 and not node.keywords and suits_all(node)
    found = body.program.find_known("functools.reduce_own" if plain else "functools.reduce")
    assert found is not None
    return call_symbol(body, node, found, given_of_call(body, node), expected=expected)


def build_accumulate(body: Body, node: ast.Call, expected: Type | None) -> Expression:
    """`itertools.accumulate(items)`, which adds them, or with a function."""
    from meshext_wasm.typecheck.calling.arguments import given_of_call
    from meshext_wasm.typecheck.calling.construct import construct
    from meshext_wasm.typecheck.expressions.names import resolve

    symbol = resolve(body, node.func)
    assert isinstance(symbol, ClassSymbol)
    if len(node.args) == 1 and not node.keywords:
        add = ast.parse("lambda left, right: left + right", mode="eval").body
        add = ast.fix_missing_locations(ast.copy_location(add, node))
        node = ast.copy_location(ast.Call(node.func, [*node.args, add], []), node)
    return construct(body, node, symbol, given_of_call(body, node), expected)


def suits_all(node: ast.Call) -> bool:
    """Whether all arguments stand as they are."""
    return not any(isinstance(each, ast.Starred) for each in node.args)


def build_filter(body: Body, node: ast.Call, expected: Type | None) -> Expression:
    """`filter(f, items)`; with None for f, no item that comes out is None."""
    from meshext_wasm.typecheck.calling.arguments import given_of_call
    from meshext_wasm.typecheck.calling.construct import construct

    symbol = body.program.builtins["filter"]
    assert isinstance(symbol, ClassSymbol)
    made = construct(body, node, symbol, given_of_call(body, node), expected)
    bare = isinstance(node.args[0], ast.Constant) and node.args[0].value is None
    if is_failed(made) or not bare or not isinstance(made.type, ClassType):
        return made
    return narrow(made, replace(made.type, arguments=tuple(map(without_none, made.type.arguments))))


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
    "asdict": build_asdict,
    "partial": build_partial,
    "assert_never": build_assert_never,
}
LIBRARY: dict[str, Known] = {
    "re.findall": regular.build_items,
    "re.split": regular.build_items,
    "functools.reduce": build_reduce,
    "itertools.accumulate": build_accumulate,
}
BUILTIN: dict[str, Known] = {
    "len": build_len,
    "any": reducing.build_any,
    "all": reducing.build_all,
    "sum": reducing.build_sum,
    "next": reducing.build_next,
    "type": build_type,
    "filter": build_filter,
    "pow": build_pow,
    "abs": build_by_method,
    "divmod": build_by_method,
}
