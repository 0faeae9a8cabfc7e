"""Which argument goes to which parameter, in the order in which they are evaluated."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.types import TupleType
from meshext_wasm.typecheck.calling.spelled import as_lambda
from meshext_wasm.typecheck.meanings.dispatch import check_value
from meshext_wasm.typecheck.meanings.making import is_failed
from meshext_wasm.typecheck.meanings.plain_values import as_tuple
from meshext_wasm.typecheck.meanings.refusals import EXEMPLAR
from meshext_wasm.typecheck.meanings.symbols import Kind, Parameter, Signature

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


@dataclass(frozen=True, slots=True, eq=False)
class Argument:
    """One argument of a call: a node, or an expression that is there already. `spread` is a `*` or `**`
    before it; `item` the place in a tuple that was spread."""

    node: ast.AST
    expression: Expression | None = None
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of a call in their order; a keyword None is `**`."""

    positional: tuple[Argument, ...] = ()
    keywords: tuple[tuple[str | None, Argument], ...] = ()

    def all(self) -> Iterable[Argument]:
        """Every argument."""
        return [*self.positional, *(each for _, each in self.keywords)]


@dataclass(frozen=True, slots=True)
class Filled:
    """An argument at its parameter; `key` is the name of one that goes into `**`."""

    index: int
    argument: Argument
    key: str = ""


class NoMatch(Exception):
    """The arguments do not fit: the reason and what to write, for whoever decides to report it."""

    def __init__(self, node: ast.AST, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.node, self.reason, self.hint = node, reason, hint


def given_of_call(body: Body, node: ast.Call) -> Given:
    """The arguments of a call in the source; a tuple behind `*` whose length is known is taken apart."""
    positional: list[Argument] = []
    for each in node.args:
        if isinstance(each, ast.Starred):
            positional.extend(spread(body, each))
        else:
            positional.append(Argument(as_lambda(body, each)))
    keywords = tuple(
        (each.arg, Argument(as_lambda(body, each.value), spread=each.arg is None)) for each in node.keywords
    )
    return Given(tuple(positional), keywords)


def spread(body: Body, node: ast.Starred) -> list[Argument]:
    """What a `*` gives."""
    if isinstance(node.value, ast.Tuple | ast.List):
        flat: list[Argument] = []
        for each in node.value.elts:
            flat.extend(spread(body, each) if isinstance(each, ast.Starred) else [Argument(each)])
        return flat
    value = as_tuple(body, node, check_value(body, node.value))
    if is_failed(value) or not isinstance(value.type, TupleType):
        return [Argument(node.value, value, spread=True)]
    from meshext_wasm.typecheck.expressions.subscripts import tuple_items

    return [Argument(node.value, each) for each in tuple_items(body, node.value, value)]


def given_of(node: ast.AST, expressions: Iterable[Expression]) -> Given:
    """Positional arguments that are there already."""
    return Given(tuple(Argument(node, each) for each in expressions))


def bind(node: ast.AST, name: str, signature: Signature, given: Given) -> list[Filled]:
    """Every argument at its parameter, in the order of the source; raises NoMatch."""
    parameters = signature.parameters
    filled = [*bind_positional(node, name, parameters, given)]
    taken = {each.index for each in filled}
    for keyword, argument in given.keywords:
        index = find_keyword(parameters, keyword)
        if index is None:
            raise NoMatch(argument.node, *no_keyword(name, keyword, parameters))
        if parameters[index].kind is Kind.STARSTAR:
            filled.append(Filled(index, argument, keyword or ""))
            continue
        if index in taken:
            words = f"{name}() gets {keyword!r} twice"
            raise NoMatch(argument.node, words, "it once")
        taken.add(index)
        filled.append(Filled(index, argument))
    check_missing(node, name, parameters, taken)
    return filled


def bind_positional(
    node: ast.AST, name: str, parameters: tuple[Parameter, ...], given: Given
) -> Iterable[Filled]:
    """Positional arguments."""
    places = [i for i, each in enumerate(parameters) if each.kind in (Kind.POSITIONAL, Kind.NORMAL)]
    star = next((i for i, each in enumerate(parameters) if each.kind is Kind.STAR), None)
    for number, argument in enumerate(given.positional):
        if argument.spread and (star is None or number < len(places)):
            words = "how many arguments a * gives is not known here"
            raise NoMatch(argument.node, words, "the arguments one by one")
        if number < len(places):
            yield Filled(places[number], argument)
        elif star is not None:
            yield Filled(star, argument)
        else:
            if name in ("inc", "observe") and any(each.name == "labels" for each in parameters):
                raise NoMatch(argument.node, EXEMPLAR[0].format(name=name), EXEMPLAR[1])
            many = f"{len(given.positional)} arguments, and {name}() takes {len(places)}"
            raise NoMatch(argument.node, many, "leave the others out")
    del node


def find_keyword(parameters: tuple[Parameter, ...], keyword: str | None) -> int | None:
    """The parameter that a keyword names, or the `**` that takes it."""
    for index, each in enumerate(parameters):
        if each.name == keyword and each.kind in (Kind.NORMAL, Kind.KEYWORD):
            return index
    return next((i for i, each in enumerate(parameters) if each.kind is Kind.STARSTAR), None)


def no_keyword(name: str, keyword: str | None, parameters: tuple[Parameter, ...]) -> tuple[str, str]:
    """Reason and hint for an unknown keyword."""
    if keyword is None:
        return f"{name}() takes no **", "the arguments one by one"
    if (name, keyword) == ("Histogram", "buckets"):
        return (
            "buckets of a Histogram: Envoy keeps the spread in buckets of its own",
            "it without buckets=...",
        )
    names = [each.name for each in parameters if each.kind in (Kind.NORMAL, Kind.KEYWORD)]
    return f"{name}() has no parameter {keyword!r}", f"it has {', '.join(names) or 'no named ones'}"


def check_missing(node: ast.AST, name: str, parameters: tuple[Parameter, ...], taken: set[int]) -> None:
    """Every parameter without default has its argument."""
    for index, each in enumerate(parameters):
        if each.kind not in (Kind.STAR, Kind.STARSTAR) and each.default is None and index not in taken:
            raise NoMatch(node, f"{name}() needs {each.name!r}", f"{each.name}=...")
