"""A Model for other readers: JSON Schema for tools, and an example to start from for people."""

from __future__ import annotations

import json

from meshext.config.annotations import build_model
from meshext.config.field_docs import with_docs
from meshext.config.shapes import (
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
    example_value,
)

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "null": "null"}


def config_schema(config_type: type, *, owner: type | None = None) -> dict[str, object]:
    """The JSON Schema (2020-12) of a `Config` class, with nested dataclasses in `$defs`.

    Descriptions are the fields' docstrings, or `field(metadata={"help": ...})`. What `__post_init__`
    refuses is not in it, and 3.0 is an integer for JSON Schema but not for `parse_config`. SpecError as in
    `check_config_type`.
    """
    model = with_docs(build_model(config_type, owner=owner))
    if isinstance(model.root, Scalar):
        return {"$schema": _DIALECT, "type": "string", "minLength": 1}
    names = _names(model)
    schema: dict[str, object] = {"$schema": _DIALECT, **_record(model, model.root, names)}
    below = [cls for cls in model.records if cls is not model.root.config_class]
    if below:
        schema["$defs"] = {names[cls]: _record(model, Record(cls), names) for cls in below}
    return schema


def config_example(config_type: type, *, owner: type | None = None) -> str:
    """A YAML text with every field: its default, or an example marked `required`; secrets have no default.

    `Config = str` has no example and gives an empty text. SpecError as in `check_config_type`.
    """
    model = with_docs(build_model(config_type, owner=owner))
    if isinstance(model.root, Scalar):
        return ""
    return "".join(_example_lines(model, field) for field in model.fields(model.root)) or "{}\n"


def _example_lines(model: Model, field: Field) -> str:
    comment = f"# {field.help}\n" if field.help else ""
    if field.required:
        return f"{comment}{field.name}: {_json(example_value(model, field.shape))}  # required\n"
    if field.secret:
        return f"{comment}# {field.name}: {_json(example_value(model, field.shape))}\n"
    return f"{comment}{field.name}: {_json(field.default)}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _names(model: Model) -> dict[type, str]:
    """A name for each dataclass; two of the same name are told apart by a number."""
    names: dict[type, str] = {}
    for cls in model.records:
        name, number = cls.__name__, 1
        while name in names.values():
            number += 1
            name = f"{cls.__name__}{number}"
        names[cls] = name
    assert isinstance(model.root, Record)
    return {**names, model.root.config_class: ""}


def _record(model: Model, record: Record, names: dict[type, str]) -> dict[str, object]:
    fields = model.fields(record)
    schema: dict[str, object] = {
        "type": "object",
        "properties": {field.name: _field(field, names) for field in fields},
        "additionalProperties": False,
    }
    required = [field.name for field in fields if field.required]
    return {**schema, "required": required} if required else schema


def _field(field: Field, names: dict[type, str]) -> dict[str, object]:
    schema = _shape(field.shape, names)
    if field.help:
        schema["description"] = field.help
    if field.secret:
        schema["writeOnly"] = True
    elif not field.required:
        schema["default"] = field.default
    return schema


def _shape(shape: Shape, names: dict[type, str]) -> dict[str, object]:
    match shape:
        case Scalar(kind):
            return {"type": _TYPES[kind]}
        case Choice():
            return {"enum": [option[0] for option in shape.options]}
        case ListOf():
            return {"type": "array", "items": _shape(shape.item, names)}
        case TupleOf():
            count = len(shape.items)
            items = [_shape(item, names) for item in shape.items]
            exactly: dict[str, object] = {"items": False, "minItems": count, "maxItems": count}
            return {"type": "array", "prefixItems": items, **exactly}
        case DictOf():
            keys = {} if isinstance(shape.key, Scalar) else {"propertyNames": _shape(shape.key, names)}
            return {"type": "object", "additionalProperties": _shape(shape.value, names), **keys}
        case OneOf():
            return {"anyOf": [_shape(option, names) for option in shape.options]}
        case Record():
            name = names[shape.config_class]
            return {"$ref": f"#/$defs/{name}" if name else "#"}
