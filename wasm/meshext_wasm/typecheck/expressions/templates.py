"""`template % values` with a template that is a literal: taken apart when it is compiled."""

from __future__ import annotations

import ast
import re
import string
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.types import NeverType, RawType, TupleType
from meshext_wasm.typecheck.expressions import formatting
from meshext_wasm.typecheck.expressions.operators import is_int, is_number
from meshext_wasm.typecheck.expressions.subscripts import tuple_item
from meshext_wasm.typecheck.meanings.dispatch import check_expression, check_value
from meshext_wasm.typecheck.meanings.making import constant, failed, is_failed, keep, refuse, sequence
from meshext_wasm.typecheck.meanings.plain_values import as_tuple, plain
from meshext_wasm.typecheck.meanings.unions import display

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

PLACE = re.compile(r"%(?P<flags>[-+ 0#]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?(?P<kind>.)", re.DOTALL)
KINDS = "sradiuxXoeEfFgG"


def build_percent(body: Body, node: ast.BinOp) -> Expression:
    """`"%s is %d" % (a, b)`."""
    assert isinstance(node.left, ast.Constant)
    assert isinstance(node.left.value, str)
    template = node.left.value
    pieces = split(template)
    if pieces is None:
        return refuse(body, node.left, "this template has a place that is not compiled", HINT)
    value = as_tuple(body, node.right, check_expression(body, node.right))
    if is_failed(value) or isinstance(value.type, NeverType):
        return value
    if isinstance(value.type, RawType):
        return refuse(body, node.right, "a raw number has no text", "int(...) around it")
    with body.collect() as statements:
        kept = keep(body, statements, formatting.check_value_of(body, value, node.right))
    values = [kept]
    if isinstance(kept.type, TupleType):
        values = [tuple_item(body, node, kept, index) for index in range(len(kept.type.items))]
    elif "tuple" in display(kept.type) or display(kept.type) == "object":
        return refuse(body, node.right, "how many values these are is not known", "(a, b)")
    places = [each for each in pieces if isinstance(each, re.Match)]
    if len(places) != len(values):
        words = f"{len(places)} places for {len(values)} values"
        return refuse(body, node, words, "as many values as places")
    return sequence(statements, fill(body, node, pieces, values))


HINT = "an f-string, or %s, %r, %d, %x, %o, %e, %f, %g with flags, width and precision as digits"


def split(template: str) -> list[str | re.Match[str]] | None:
    """Texts and places; None where a place is not compiled."""
    pieces: list[str | re.Match[str]] = []
    position = 0
    for match in PLACE.finditer(template):
        pieces.append(template[position : match.start()])
        position = match.end()
        if match["kind"] == "%" and match.group() == "%%":
            pieces.append("%")
        elif match["kind"] in KINDS:
            pieces.append(match)
        else:
            return None
    rest = template[position:]
    return None if "%" in rest else [*pieces, rest]


def fill(
    body: Body, node: ast.AST, pieces: list[str | re.Match[str]], values: list[Expression]
) -> Expression:
    """The texts, with the values in their places."""
    parts: list[Expression] = []
    waiting = iter(values)
    loc = body.loc(node)
    for piece in pieces:
        if isinstance(piece, str):
            parts.extend([constant(body.program, loc, piece)] if piece else [])
        else:
            parts.append(place(body, node, piece, next(waiting)))
    return formatting.join_texts(body, node, parts)


def place(body: Body, node: ast.AST, match: re.Match[str], value: Expression) -> Expression:
    """One value by its place."""
    kind, flags = match["kind"], match["flags"]
    if kind in "sra":
        function = {"s": "str_of", "r": "repr_of", "a": "ascii_of"}[kind]
        text = formatting.text_of(body, node, value, function)
        return padded(body, node, match, text)
    value = plain(body, node, value)
    wanted = is_int if kind in "diuxXo" else is_number
    if not wanted(body.program, value.type):
        words = f"%{kind} with a value of type {display(value.type)}"
        refuse(body, node, words, "convert it with int(...) or float(...), or write %s")
        return failed(body.loc(node))
    if kind in "diuxXo" and match["precision"]:
        return refuse(body, node, "a precision for a whole number is not compiled", "a width, as %03d")
    spec = number_spec(flags, match["width"], match["precision"], kind)
    return formatting.format_value(body, node, value, constant(body.program, body.loc(node), spec))


def build_format(body: Body, node: ast.Call, template: str) -> Expression:
    """`"{} is {name!r:>5}".format(a, name=b)`: the arguments in their order, then the text."""
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        return refuse(body, node, f"this template is wrong: {error}", "an f-string")
    if any(isinstance(each, ast.Starred) for each in node.args) or any(k.arg is None for k in node.keywords):
        return refuse(body, node, "which values these are is not known", "them one by one")
    values: dict[str, Expression] = {}
    with body.collect() as statements:
        for number, each in enumerate(node.args):
            values[str(number)] = keep(body, statements, check_value(body, each))
        for keyword in node.keywords:
            values[keyword.arg or ""] = keep(body, statements, check_value(body, keyword.value))
    if any(map(is_failed, values.values())):
        return failed(body.loc(node))
    parts = format_parts(body, node, pieces, values)
    return (
        failed(body.loc(node))
        if parts is None
        else sequence(statements, formatting.join_texts(body, node, parts))
    )


Piece = tuple[str, str | None, str | None, str | None]


def format_parts(
    body: Body, node: ast.AST, pieces: list[Piece], values: dict[str, Expression]
) -> list[Expression] | None:
    """The texts and the formatted values; None after a report."""
    parts: list[Expression] = []
    loc = body.loc(node)
    for number, (text, name, spec, conversion) in enumerate(pieces):
        if text:
            parts.append(constant(body.program, loc, text))
        if name is None:
            continue
        before = sum(1 for piece in pieces[:number] if piece[1] is not None)
        value = values.get(name or str(before))
        if value is None or (spec and "{" in spec):
            refuse(body, node, f"the place {{{name}}} is not compiled", "an f-string")
            return None
        if conversion:
            function = {"s": "str_of", "r": "repr_of", "a": "ascii_of"}[conversion]
            value = formatting.text_of(body, node, value, function)
        parts.append(formatting.format_value(body, node, value, constant(body.program, loc, spec or "")))
    return parts


def number_spec(flags: str, width: str, precision: str | None, kind: str) -> str:
    """The same in the notation of format()."""
    align = "<" if "-" in flags else ""
    sign = "+" if "+" in flags else " " if " " in flags else ""
    hash_ = "#" if "#" in flags else ""
    zero = "0" if "0" in flags and "-" not in flags else ""
    digits = "" if precision is None else f".{precision or '0'}"
    return f"{align}{sign}{hash_}{zero}{width}{digits}{'d' if kind in 'diu' else kind}"


def padded(body: Body, node: ast.AST, match: re.Match[str], text: Expression) -> Expression:
    """A text with width and precision."""
    precision = match["precision"]
    if not match["width"] and precision is None:
        return text
    align = "<" if "-" in match["flags"] else ">"
    spec = f"{align}{match['width']}" + (f".{precision or '0'}" if precision is not None else "")
    return formatting.format_value(body, node, text, constant(body.program, body.loc(node), spec))
