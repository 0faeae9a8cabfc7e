"""The type of a configuration's value as source text."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from meshext.config.shapes import Choice, DictOf, ListOf, OneOf, Record, Scalar, Shape, TupleOf


def annotation(shape: Shape, name_of: Callable[[type], str]) -> str:
    """What stands behind the colon; a Literal as in the class, so that the checker keeps knowing it."""
    match shape:
        case Scalar("null"):
            return "None"
        case Scalar(kind):
            return kind
        case Choice():
            return choice(shape, name_of)
        case ListOf(item, as_tuple):
            inner = annotation(item, name_of)
            return f"tuple[{inner}, ...]" if as_tuple else f"list[{inner}]"
        case TupleOf(items):
            return f"tuple[{', '.join(annotation(item, name_of) for item in items)}]"
        case DictOf(key, value):
            return f"dict[{annotation(key, name_of)}, {annotation(value, name_of)}]"
        case Record(cls):
            return name_of(cls)
        case OneOf(options):
            return " | ".join(dict.fromkeys(annotation(option, name_of) for option in options))


def choice(shape: Choice, name_of: Callable[[type], str]) -> str:
    """An Enum by its name, else a Literal."""
    kinds = {type(value) for _, value in shape.options if isinstance(value, Enum)}
    if kinds:
        return " | ".join(name_of(kind) for kind in kinds)
    return f"Literal[{', '.join(dict.fromkeys(repr(value) for _, value in shape.options))}]"
