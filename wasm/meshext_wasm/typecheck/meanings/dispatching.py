"""One operation on a value of several classes: each class its own way, chosen when it runs."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression, IsInstance
from meshext_wasm.tree.program import Class
from meshext_wasm.tree.types import CallableType, ClassObjectType, ClassType, NeverType, NoneType, Rep, Type
from meshext_wasm.typecheck.meanings.conversions import to_value
from meshext_wasm.typecheck.meanings.making import (
    class_type,
    conditional,
    is_failed,
    keep,
    narrow,
    refuse,
    sequence,
)
from meshext_wasm.typecheck.meanings.symbols import Program
from meshext_wasm.typecheck.meanings.unions import (
    READ_ONLY,
    alternatives_of,
    class_view,
    display,
    has_none,
    join,
    narrow_hint,
    widen,
)

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

Operation = Callable[[Expression], Expression]


def runtime_class(program: Program, type_: Type) -> Class:
    """The class that values of a type, no union, have when the program runs."""
    if isinstance(type_, CallableType):
        return program.builtin_class("function")
    if isinstance(type_, ClassObjectType):
        return program.builtin_class("type")
    view = class_view(program, type_)
    return view.cls if view else program.builtin_class("object")


def group(program: Program, type_: Type) -> list[tuple[Class, Type]]:
    """The members of a union by class, subclasses before their bases; items of one class are joined."""
    found: dict[Class, Type] = {}
    for each in alternatives_of(type_):
        cls = runtime_class(program, each)
        found[cls] = merge(program, found[cls], each) if cls in found else each
    return sorted(found.items(), key=lambda pair: -depth(pair[0]))


def depth(cls: Class) -> int:
    """How many classes are above."""
    return 0 if cls.base is None else 1 + depth(cls.base)


def merge(program: Program, left: Type, right: Type) -> Type:
    """Two types of one class, as they can be read."""
    if isinstance(left, ClassType) and isinstance(right, ClassType) and left.cls is right.cls:
        pairs = zip(left.arguments, right.arguments, strict=True)
        items = tuple(join(program, a, b) for a, b in pairs)
        return ClassType(left.cls, items, borrowed=left.cls.name not in READ_ONLY)
    return join(program, widen(left), widen(right))


def over_union(body: Body, node: ast.AST, subject: Expression, operate: Operation) -> Expression:
    """Do it for the class that the subject has; None among them is refused."""
    if is_failed(subject):
        return subject
    if isinstance(subject.type, NeverType):
        return subject
    if has_none(subject.type) and not isinstance(subject.type, NoneType):
        words = ast.unparse(getattr(node, "value", node))
        reason = f"{words} may be None here (it is {display(subject.type)})"
        return refuse(
            body, node, reason, narrow_hint(f"test it first: `if {words} is not None:`", subject.type)
        )
    groups = group(body.program, subject.type)
    if len(groups) == 1:
        return operate(narrow(subject, groups[0][1]))
    with body.collect() as statements:
        kept = keep(body, statements, subject)
    return sequence(statements, _choose(body, node, kept, groups, operate))


def _choose(
    body: Body, node: ast.AST, kept: Expression, groups: list[tuple[Class, Type]], operate: Operation
) -> Expression:
    (cls, type_), *rest = groups
    here = to_value(body, operate(narrow(kept, type_)), node)
    if not rest or is_failed(here):
        return here
    other = _choose(body, node, kept, rest, operate)
    if is_failed(other):
        return other
    boolean = class_type(body.program, "bool")
    test = IsInstance(loc=kept.loc, type=boolean, rep=Rep.BOOL, subject=kept, classes=(cls,))
    return conditional(kept.loc, test, here, other, join(body.program, here.type, other.type))
