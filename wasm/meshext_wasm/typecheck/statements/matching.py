"""`match`: patterns are the business of `patterns`, the ways through the cases are here."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from meshext_wasm.scope.names import assigned
from meshext_wasm.tree.program import Variable
from meshext_wasm.tree.statements import Assign, If, Statement
from meshext_wasm.tree.types import NeverType, Type
from meshext_wasm.typecheck.meanings.conversions import to_value
from meshext_wasm.typecheck.meanings.dispatch import check_condition, check_expression
from meshext_wasm.typecheck.meanings.facts import Facts, join_facts
from meshext_wasm.typecheck.meanings.making import class_type, conditional, truth
from meshext_wasm.typecheck.meanings.narrowing import facts_of, path_of, with_class, with_literals
from meshext_wasm.typecheck.meanings.symbols import ClassSymbol
from meshext_wasm.typecheck.meanings.unions import make_union, members_of
from meshext_wasm.typecheck.statements.flow import branch

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def check_match(body: Body, node: ast.Match) -> None:
    """The cases from the top; the first that fits is taken."""
    value = to_value(body, check_expression(body, node.subject), node.subject)
    subject = body.temporary(".subject", value.type)
    body.emit(Assign(loc=body.loc(node.subject), variable=subject, value=value))
    statements, facts = check_cases(body, node, list(node.cases), subject, value.type)
    for each in statements:
        body.emit(each)
    body.facts = facts


def check_cases(
    body: Body, node: ast.Match, cases: list[ast.match_case], subject: Variable, left: Type
) -> tuple[list[Statement], Facts]:
    """The first case, and the others where it does not fit; `left` is what the subject can still be."""
    from meshext_wasm.typecheck.statements.patterns import check_pattern

    if not cases:
        done = isinstance(left, NeverType) and not isinstance(subject.type, NeverType)
        return [], body.facts.dead() if done else body.facts
    case, before, loc = cases[0], body.facts, body.loc(cases[0].pattern)
    path = path_of(node.subject)
    test = check_pattern(body, case.pattern, subject, left)
    fits = remaining(body, left, case.pattern, truth=True)
    names = frozenset(assigned(case.pattern))
    facts = replace(body.facts, assigned=body.facts.assigned | names)
    facts = facts.narrow(path, fits) if path and path not in names else facts
    if case.guard is not None:
        body.facts = facts
        guard = check_condition(body, case.guard)
        facts = facts_of(body, case.guard, True)
        otherwise = truth(body.program, loc, False)
        test = conditional(loc, test, guard, otherwise, class_type(body.program, "bool"))
    then, end = branch(body, facts, case.body)
    rest = left if case.guard is not None else remaining(body, left, case.pattern, truth=False)
    body.facts = before.without(lambda each: each.partition(".")[0] in names)
    body.facts = body.facts.narrow(path, rest) if path and path not in names else body.facts
    with body.collect() as others:
        statements, last = check_cases(body, node, cases[1:], subject, rest)
        others.extend(statements)
    made = If(loc=loc, test=test, then=tuple(then), otherwise=tuple(others))
    return [made], join_facts(body.program, end, last)


def remaining(body: Body, type_: Type, pattern: ast.pattern, *, truth: bool) -> Type:
    """What a subject can be where a pattern fits, or where it does not."""
    kept = [found for each in members_of(type_) if (found := member(body, each, pattern, truth)) is not None]
    return make_union(part for each in kept for part in members_of(each))


def member(body: Body, type_: Type, pattern: ast.pattern, truth: bool) -> Type | None:
    """The same for one member of a union."""
    match pattern:
        case ast.MatchAs(pattern=None):
            return type_ if truth else None
        case ast.MatchAs(pattern=inner) if inner is not None:
            return member(body, type_, inner, truth)
        case ast.MatchOr(patterns=parts) if truth:
            found = [each for part in parts if (each := member(body, type_, part, True)) is not None]
            return make_union(part for each in found for part in members_of(each)) if found else None
        case ast.MatchOr(patterns=parts):
            left: Type | None = type_
            for part in parts:
                left = member(body, left, part, False) if left is not None else None
            return left
        case ast.MatchSingleton(value=value):
            return with_literals(type_, [value], truth)
        case ast.MatchValue(value=ast.Constant(value=value)):
            return with_literals(type_, [value], truth)
        case ast.MatchClass(cls=cls, patterns=parts, kwd_patterns=others):
            symbol = body.symbol_of(cls)
            whole = not others and all(isinstance(e, ast.MatchAs) and e.pattern is None for e in parts)
            if isinstance(symbol, ClassSymbol) and (truth or whole):
                return with_class(body, type_, [symbol.cls], truth)
    return type_
