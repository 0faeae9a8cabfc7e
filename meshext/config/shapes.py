"""The Model: what a `Config` class accepts, as plain data without any annotation left in it.

Parsing, schema and examples read only this; a compiler can write it down as constants.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias

Kind = Literal["str", "int", "float", "bool", "null"]
Written: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """One of JSON's simple values. `int` has 64 bits; `float` is finite, with or without a point."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Choice:
    """A `Literal` or an `Enum`: pairs of what is written and what it becomes; `listed` goes to messages."""

    options: tuple[tuple[Written, object], ...]
    listed: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one kind of item; `as_tuple` for `tuple[T, ...]`."""

    item: Shape
    as_tuple: bool = False


@dataclass(frozen=True, slots=True)
class TupleOf:
    """A list of fixed length, `tuple[A, B]`."""

    items: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class DictOf:
    """A mapping with free keys: strings, or a choice among strings."""

    key: Scalar | Choice
    value: Shape


@dataclass(frozen=True, slots=True)
class Record:
    """A dataclass, by reference, so that it may contain itself; its fields are in the Model."""

    config_class: type


@dataclass(frozen=True, slots=True)
class OneOf:
    """Alternatives that differ in what is written: choices and scalars, at most one list and one mapping."""

    options: tuple[Shape, ...]


Shape: TypeAlias = Scalar | Choice | ListOf | TupleOf | DictOf | Record | OneOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a Record. `default` is meaningless where `required`; `secret` values are never shown."""

    name: str
    shape: Shape
    required: bool
    default: object = None
    help: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """What a configuration may look like: the outermost shape and the fields of every dataclass in it.

    The root is a Record, or the scalar `str` for `Config = str`, which takes the text as it is.
    """

    root: Record | Scalar
    records: Mapping[type, tuple[Field, ...]]

    def fields(self, record: Record) -> tuple[Field, ...]:
        """The fields of a dataclass in the order in which they are declared."""
        return self.records[record.config_class]


def example_value(model: Model, shape: Shape, *, depth: int = 0) -> object:
    """Something that fits the shape, as plain data: the required fields, or else the first one."""
    match shape:
        case Scalar(kind):
            return {"str": "text", "int": 10, "float": 0.5, "bool": True, "null": None}[kind]
        case Choice():
            return shape.listed[0]
        case ListOf():
            return [example_value(model, shape.item, depth=depth + 1)]
        case TupleOf():
            return [example_value(model, item, depth=depth + 1) for item in shape.items]
        case DictOf():
            key = "name" if isinstance(shape.key, Scalar) else str(shape.key.listed[0])
            return {key: example_value(model, shape.value, depth=depth + 1)}
        case OneOf():
            return example_value(model, shape.options[0], depth=depth + 1)
        case Record():
            fields = model.fields(shape)
            wanted = [field for field in fields if field.required] or list(fields[:1])
            if depth > 8:  # a dataclass that contains itself
                return {}
            return {field.name: example_value(model, field.shape, depth=depth + 1) for field in wanted}


def plain_value(value: object) -> object:
    """A Python value of a configuration (a default) as plain data, the way a person would write it."""
    if isinstance(value, Enum):
        return value.value if isinstance(value.value, str) else value.name
    if isinstance(value, dict):
        return {str(plain_value(key)): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is not None:
        return {name: plain_value(getattr(value, name)) for name, field in fields.items() if field.init}
    return value


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the configuration something stands, and whether what stands there may be shown."""

    path: str = ""
    secret: bool = False

    def at(self, name: str, *, secret: bool) -> Place:
        """A place below this one: `split.v2`, or `split['a.b']` where the name has other characters.

        Below a secret, names that come from the document are hidden by the caller.
        """
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            return Place(f"{self.path}[{name if name == '<redacted>' else repr(name[:64])}]", secret)
        return Place(f"{self.path}.{name}" if self.path else name, secret)

    def item(self, index: int) -> Place:
        """The place of an item of a list: `rules[0]`."""
        return Place(f"{self.path}[{index}]", self.secret)

    def says(self, problem: str) -> str:
        """One line of an error: `path: problem`; at the top there is no path."""
        return f"{self.path}: {problem}" if self.path else problem
