"""A filter's configuration as a table for people: field, type, default, help."""

from __future__ import annotations

import json
from collections.abc import Iterator

from meshext.config import (
    Choice,
    DictOf,
    Field,
    ListOf,
    Model,
    OneOf,
    Record,
    Scalar,
    Shape,
    TupleOf,
)

HEADINGS = ("field", "type", "default", "help")
LONGEST_DEFAULT = 40  # characters

WORDS = {"str": "text", "int": "integer", "float": "number", "bool": "true or false", "null": "null"}

Row = tuple[str, str, str, str]


def to_rows(model: Model) -> list[Row]:
    """A row for each field, those of nested dataclasses below their own; none where the text is taken raw."""
    if isinstance(model.root, Scalar):
        return []
    return list(_record_rows(model, model.root, "", (model.root.config_class,)))


def type_text(shape: Shape) -> str:
    """A shape in words, such as `mapping of text to integer`."""
    match shape:
        case Scalar(kind):
            return WORDS[kind]
        case Choice():
            return " or ".join(json.dumps(option, ensure_ascii=False) for option in shape.listed)
        case ListOf():
            return f"list of {type_text(shape.item)}"
        case TupleOf():
            return f"list of {len(shape.items)}: {', '.join(map(type_text, shape.items))}"
        case DictOf():
            return f"mapping of {type_text(shape.key)} to {type_text(shape.value)}"
        case OneOf():
            return " or ".join(map(type_text, shape.options))
        case Record():
            return "mapping"


def _record_rows(model: Model, record: Record, place: str, above: tuple[type, ...]) -> Iterator[Row]:
    for field in model.fields(record):
        name = f"{place}{field.name}"
        yield name, type_text(field.shape), _default_text(field), field.help
        for below, where in _records_in(field.shape, name):
            if below.config_class not in above:  # a dataclass may contain itself
                yield from _record_rows(model, below, f"{where}.", (*above, below.config_class))


def _records_in(shape: Shape, place: str) -> Iterator[tuple[Record, str]]:
    match shape:
        case Record():
            yield shape, place
        case ListOf():
            yield from _records_in(shape.item, f"{place}[]")
        case DictOf():
            yield from _records_in(shape.value, f"{place}.*")
        case TupleOf():
            for index, item in enumerate(shape.items):
                yield from _records_in(item, f"{place}[{index}]")
        case OneOf():
            for option in shape.options:
                yield from _records_in(option, place)


def _default_text(field: Field) -> str:
    if field.required:
        return "required"
    if field.secret:
        return "(secret)"
    text = json.dumps(field.default, ensure_ascii=False)
    return text if len(text) <= LONGEST_DEFAULT else text[: LONGEST_DEFAULT - 3] + "..."
