"""What a test says about the types of the variables in it, when it holds and when it does not."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from meshext_wasm.tree.program import Class, Field, Global, Variable
from meshext_wasm.tree.types import (
    ClassObjectType,
    ClassType,
    LiteralType,
    NeverType,
    NoneType,
    ObjectType,
    Type,
)
from meshext_wasm.typecheck.meanings.facts import Facts, join_facts
from meshext_wasm.typecheck.meanings.symbols import (
    AliasSymbol,
    ClassSymbol,
    ConstantSymbol,
    MissingSymbol,
    ModuleSymbol,
    Program,
    find_field,
)
from meshext_wasm.typecheck.meanings.unions import (
    READ_ONLY,
    alternatives_of,
    as_loose,
    base_as,
    class_view,
    make_union,
    members_of,
)

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

Filter = Callable[[Type], Type | None]
ALSO_BELOW = {"meshext.errors.MeshextError": ("HeaderError", "UndeclaredError")}
"""Second bases of the SDK's errors: who catches or tests the one means the others too."""


def facts_of(body: Body, test: ast.expr, truth: bool) -> Facts:
    """What is known after a test came out true, or false; from what the body knows now."""
    match test:
        case ast.Constant(value=value):
            return body.facts if bool(value) is truth else body.facts.dead()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return facts_of(body, operand, not truth)
        case ast.BoolOp():
            return facts_of_bool_op(body, test, truth)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return facts_of_comparison(body, left, op, right, truth)
        case ast.Call(func=ast.Name(id="isinstance" | "builtins:isinstance"), args=[subject, classes]):
            found = classes_of(body, classes)
            if found is None:
                return body.facts
            return keep(body, subject, lambda each: with_class(body, each, found, truth))
        case _:
            return keep(body, test, lambda each: with_truth(each, truth))


def facts_of_bool_op(body: Body, test: ast.BoolOp, truth: bool) -> Facts:
    """`and` that holds is all of them one after the other; that fails, any of them; `or` the reverse."""
    together = isinstance(test.op, ast.And) is truth
    ways: list[Facts] = []
    with body.assume(body.facts):
        for operand in test.values:
            here = facts_of(body, operand, truth)
            if not together:
                ways.append(here)
            body.facts = here if together else facts_of(body, operand, not truth)
        end = body.facts
    return end if together else join_facts(body.program, *ways)


def facts_of_comparison(body: Body, left: ast.expr, op: ast.cmpop, right: ast.expr, truth: bool) -> Facts:
    """`is`, `==` with a literal, and `in` a display of literals."""
    if isinstance(op, ast.IsNot | ast.NotEq | ast.NotIn):
        truth = not truth
    if isinstance(op, ast.In | ast.NotIn):
        values = literals_in(right)
        if values is None:
            return body.facts
        return keep(body, left, lambda each: with_literals(each, values, truth))
    if not isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
        return body.facts
    subject, other = (right, left) if isinstance(left, ast.Constant) else (left, right)
    if not isinstance(other, ast.Constant):
        return body.facts
    value = other.value
    return keep(body, subject, lambda each: with_literals(each, [value], truth))


def literals_in(node: ast.expr) -> list[object] | None:
    """The values of a display that has only literals."""
    if not isinstance(node, ast.Tuple | ast.List | ast.Set):
        return None
    if not all(isinstance(each, ast.Constant) for each in node.elts):
        return None
    return [each.value for each in node.elts if isinstance(each, ast.Constant)]


def keep(body: Body, subject: ast.expr, rule: Filter) -> Facts:
    """Narrow the path of an expression by a rule over the members of its type."""
    path = path_of(subject)
    known = body.path_type(path) if path else None
    if path is None or known is None or isinstance(known, NeverType):
        return body.facts
    left = [found for each in alternatives_of(known) if (found := rule(each)) is not None]
    narrowed = as_loose(make_union(left), known)
    if isinstance(narrowed, NeverType):
        return body.facts.dead()
    if narrowed == known:
        return body.facts
    return body.facts.narrow(path, narrowed)


def path_of(node: ast.expr) -> str | None:
    """`x` or `x.y.z` as text; that of a walrus is its variable."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.NamedExpr(target=ast.Name(id=name)):
            return name
        case ast.Attribute(value=value, attr=attribute):
            inner = path_of(value)
            return f"{inner}.{attribute}" if inner else None
    return None


def with_truth(type_: Type, truth: bool) -> Type | None:
    """A member of a union that can be true, or false."""
    match type_:
        case NoneType():
            return None if truth else type_
        case LiteralType(value=value):
            return type_ if bool(value) is truth else None
    return type_


def with_literals(type_: Type, values: Sequence[object], truth: bool) -> Type | None:
    """A member of a union that can equal one of the values, or differ from all."""
    match type_:
        case NoneType():
            return type_ if (None in values) is truth else None
        case LiteralType(value=value):
            equal = any(value == each and type(value) is type(each) for each in values)
            return type_ if equal is truth else None
        case ObjectType():
            return NoneType() if truth and list(values) == [None] else type_
    return None if truth and list(values) == [None] else type_


def classes_of(body: Body, node: ast.expr) -> list[Class] | None:
    """The classes that the second argument of isinstance names; None where it is no list of names."""
    match node:
        case ast.Tuple(elts=parts):
            return flat([classes_of(body, part) for part in parts])
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return flat([classes_of(body, left), classes_of(body, right)])
        case ast.Constant(value=None):
            return [body.program.builtin_class("NoneType")]
        case ast.Name() | ast.Attribute():
            return classes_named(body, node)
    return None


def classes_named(body: Body, node: ast.expr) -> list[Class] | None:
    """The class of a name, or the classes of a union that has a name."""
    symbol = body.symbol_of(node)
    if isinstance(symbol, ClassSymbol) and not symbol.protocol:
        return [symbol.cls, *also_below(body, symbol.cls)]
    if isinstance(symbol, AliasSymbol):
        views = [class_view(body.program, each) for each in members_of(symbol.type)]
        return [each.cls for each in views if each is not None]
    return [] if isinstance(symbol, MissingSymbol) else None


def also_below(body: Body, cls: Class) -> list[Class]:
    """Classes that are below one in Python, though not here, where a class has one base."""
    names = ALSO_BELOW.get(cls.symbol, ())
    module = body.program.modules.get(cls.symbol.rpartition(".")[0])
    found = [module.names.get(name) for name in names] if module is not None else []
    return [each.cls for each in found if isinstance(each, ClassSymbol)]


def flat(parts: list[list[Class] | None]) -> list[Class] | None:
    """One list, unless a part is unknown."""
    known = [each for each in parts if each is not None]
    return [cls for each in known for cls in each] if len(known) == len(parts) else None


def with_class(body: Body, type_: Type, classes: list[Class], truth: bool) -> Type | None:
    """What is left of a type whose value is, or is not, of one of the classes."""
    view = class_view(body.program, type_)
    if view is None:
        view = function_view(body, type_)
    inside = any(base_as(body.program, view, each) is not None for each in classes)
    if not truth:
        return None if inside else type_
    if inside:
        return type_
    below = [found for each in classes if (found := as_below(body, view, each)) is not None]
    return make_union(below) if below else None


def function_view(body: Body, type_: Type) -> ClassType:
    """The class of function values and of classes, for what has no class type."""
    name = "type" if isinstance(type_, ClassObjectType) else "function"
    return ClassType(body.program.builtin_class(name))


def as_below(body: Body, view: ClassType, cls: Class) -> Type | None:
    """The type of a value of a wider class that turned out to be of this one; what its items are follows from
    the wider type, and is `object` where that says nothing."""
    symbol = body.program.class_symbol(cls)
    seen = base_as(body.program, ClassType(cls, symbol.parameters), view.cls)
    if seen is None:
        return None
    if cls.name == "NoneType":
        return NoneType()
    bindings = dict(zip(seen.arguments, view.arguments, strict=False))
    items = tuple(bindings.get(each, ObjectType(unknown=True)) for each in symbol.parameters)
    return ClassType(cls, items, borrowed=is_borrowed(view, cls) and bool(items))


def is_borrowed(view: ClassType, cls: Class) -> bool:
    """Whether a container that is known as a wider class may be known elsewhere as one of narrower items:
    where the wider class takes those, and this one can be written."""
    wide = view.cls.name in READ_ONLY or view.borrowed or view.cls.base is None
    return wide and cls.name not in READ_ONLY


def declared_type(body: Body, path: str) -> Type | None:
    """The type of a path without what is known of it here."""
    name, *rest = path.split(".")
    symbol = body.lookup(name)
    if isinstance(symbol, Variable | Global):
        type_: Type | None = symbol.type
    elif isinstance(symbol, ModuleSymbol) and rest:
        return None
    else:
        return symbol.type if isinstance(symbol, ConstantSymbol) else None
    for index, attribute in enumerate(rest):
        known = body.facts.types.get(".".join([name, *rest[:index]]))
        type_ = field_type(body, known or type_, attribute)
    return type_


def fields_of(body: Body, path: str) -> list[Field]:
    """The fields that a path goes through; properties are none."""
    parts = path.split(".")
    found: list[Field] = []
    for index in range(1, len(parts)):
        type_ = body.path_type(".".join(parts[:index]))
        for each in members_of(type_) if type_ is not None else ():
            view = class_view(body.program, each)
            symbol = body.program.class_symbol(view.cls) if view is not None else None
            slot = find_field(body.program, symbol, parts[index]) if symbol is not None else None
            if slot is not None:
                found.append(slot[1])
    return found


def field_type(body: Body, type_: Type | None, attribute: str) -> Type | None:
    """The type of a field of an instance; None for anything else."""
    from meshext_wasm.typecheck.meanings.generics import substitute

    if not isinstance(type_, ClassType):
        return None
    found = find_field(body.program, body.program.class_symbol(type_.cls), attribute)
    if found is None:
        return None
    owner, slot = found
    view = base_as(body.program, type_, owner.cls)
    names = [each.name for each in owner.parameters]
    return substitute(slot.type, dict(zip(names, view.arguments if view else (), strict=False)))


LASTING = ("meshext.exchange.Exchange",)
"""Classes of the library whose fields nobody writes once there is an instance."""


def is_lasting(program: Program, slot: Field) -> bool:
    """Whether it is a field of one of those."""
    for path in LASTING:
        module, _, name = path.rpartition(".")
        found = program.modules[module].names.get(name) if module in program.modules else None
        if isinstance(found, ClassSymbol) and slot in found.fields.values():
            return True
    return False
