"""What pydantic finds wrong in a document, in our words: expected, found, and what to write instead."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from meshext.config import Plain, is_secret_name
from meshext.config.places import Path
from meshext.config.wording import nearest, shown, unknown_key, written
from meshext_controlplane.model.base import MeshDocument, Model

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "less_than_equal": ("le", "at most"),
    "greater_than": ("gt", "more than"),
    "less_than": ("lt", "less than"),
}
_LENGTHS = {
    "string_too_short": ("min_length", "at least {} characters"),
    "string_too_long": ("max_length", "at most {} characters"),
    "too_short": ("min_length", "at least {} items"),
    "too_long": ("max_length", "at most {} items"),
}
_DEEPEST_EXAMPLE = 4
_FIELD = re.compile(r"([a-z][A-Za-z0-9]*(?:\.[a-z][A-Za-z0-9]*)*): ")
_TRUE = frozenset("true yes on y 1".split())
_FALSE = frozenset("false no off n 0".split())


def place_error(error: ErrorDetails, document: type[MeshDocument], data: Plain) -> tuple[Path, str]:
    """Where in the document the error is, and what a validator of ours says about it ("" for pydantic's own).

    The location is pydantic's less the names of a union's members; a validator of a whole part may begin
    with the field it means, as in `ports: two have the same name; ...`.
    """
    path: list[str | int] = []
    here: Plain = data
    for number, part in enumerate(error["loc"]):
        last = number == len(error["loc"]) - 1
        if _holds(here, part):
            here = find_value(here, (part,))
        elif not (last and error["type"] == "missing"):
            continue
        path.append(part)
    if error["type"] not in ("value_error", "assertion_error"):
        return tuple(path), ""
    text = str(error.get("ctx", {}).get("error", error["msg"]))
    field = _FIELD.match(text)
    names = field[1].split(".") if field else []
    if field and find_value(here, tuple(names)) is not None:
        path += names
        text = text[field.end() :]
    return tuple(path), _with_hint(text, document, tuple(path), find_value(data, tuple(path)))


def _with_hint(text: str, document: type[MeshDocument], path: Path, value: Plain) -> str:
    """What a validator says, with what to write behind the last `; `."""
    if "; " in text:
        return text
    said, mark, hint = text.rpartition(": write ")
    if mark:
        return f"{said}; write {hint}"
    return f"{text}; {'correct it there' if isinstance(value, dict) else _for_example(document, path)}"


def describe_error(error: ErrorDetails, path: Path, document: type[MeshDocument], data: Plain) -> str:
    """What is wrong at the path, with what to write behind the last `; `."""
    kind = error["type"]
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    value = find_value(data, path)
    hidden = path[:1] != () and path[0] in document.HIDDEN
    secret = hidden or (is_secret_name(name) and not isinstance(value, dict | list))
    context: Mapping[str, Any] = error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(name, find_models(document, path[:-1]))
    if kind == "missing":
        return f"missing {name!r}; {_for_example(document, path)}"
    found = shown(value, secret=secret)
    example = _for_example(document, path)
    if kind in ("literal_error", "enum"):
        not_yet = _not_yet(f"{name}: {value}", find_models(document, path[:-1]))
        return not_yet or _choice(value, _choices(find_shapes(document, path)), found)
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, got {found}; {_advice(kind, value, secret) or example}"
    for table in (_BOUNDS, _LENGTHS):
        if kind in table:
            return _limit(kind, context, value, found)
    return f"{error['msg'][:1].lower()}{error['msg'][1:]}, got {found}; {example}"


def _limit(kind: str, context: Mapping[str, Any], value: Plain, found: str) -> str:
    if kind in _BOUNDS:
        member, words = _BOUNDS[kind]
        return f"expected {words} {context[member]}, got {found}; write a number in that range"
    member, words = _LENGTHS[kind]
    count = f"{len(value)}" if isinstance(value, str | list | dict) else found
    end = "write fewer" if kind.endswith("long") else "write more"
    expected = words.format(context[member])
    return f"expected {expected.removesuffix('s') if context[member] == 1 else expected}, got {count}; {end}"


def _choice(value: Plain, choices: Sequence[object], found: str) -> str:
    listed = ", ".join(str(each) for each in choices)
    guess = None
    if isinstance(value, str):
        upper = [str(each) for each in choices if str(each).upper() == value.upper()]
        guess = upper[0] if upper else nearest(value, [str(each) for each in choices])
    end = f"write {guess}" if guess else f"write for example {choices[0] if choices else 'another'}"
    return f"expected {'one of ' if len(choices) > 1 else ''}{listed}, got {found}; {end}"


def _advice(kind: str, value: Plain, secret: bool) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float) and not secret:
        text = written(value) if isinstance(value, bool) else repr(value)
        return f"put it in quotes: {written(text)}"
    if kind.startswith("bool") and str(value).lower() in _TRUE | _FALSE:
        return f"write {'true' if str(value).lower() in _TRUE else 'false'}"
    if kind.startswith("int") and isinstance(value, str) and value.isascii() and value.isdigit():
        return f"write {int(value[:18])} without quotes"
    if kind in ("tuple_type", "list_type") and not isinstance(value, list | dict) and value is not None:
        return f"write [{'...' if secret else written(value)[:60]}]"
    return ""


def _for_example(document: type[MeshDocument], path: Path) -> str:
    """`write for example NAME: VALUE`, in brackets for an item of a list."""
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    example = written(_example(find_shapes(document, path)))
    in_list = path and isinstance(path[-1], int)
    return f"write for example {name}: {f'[{example}]' if in_list else example}"


def _not_yet(name: str, models: Sequence[type[BaseModel]]) -> str | None:
    """What a model says of a field, or of `field: value`, that it does not carry out yet."""
    for model in models:
        if issubclass(model, Model) and name in model.NOT_YET:
            return f"is not supported yet; {model.NOT_YET[name] or 'leave it out'}"
    return None


def _unknown(name: str, models: Sequence[type[BaseModel]]) -> str:
    known = [alias for model in models for alias in _fields(model)]
    not_yet = _not_yet(name, models)
    if not_yet is not None:
        return not_yet
    said = unknown_key(name, known)
    return said if "; " in said else said.replace("? ", "?; ", 1)


# -- what a model expects at a path --------------------------------------------------------------------


def _holds(here: Plain, part: str | int) -> bool:
    if isinstance(part, int):
        return isinstance(here, list) and part < len(here)
    return isinstance(here, dict) and part in here


def find_value(data: Plain, path: Path) -> Plain:
    """The value at a path; None where there is none."""
    here: Plain = data
    for part in path:
        if isinstance(here, dict) and isinstance(part, str):
            here = here.get(part)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            return None
    return here


def find_models(document: type[BaseModel], path: Path) -> list[type[BaseModel]]:
    """The models that may stand at a path."""
    return [each for each in find_shapes(document, path) if _is_model(each)]


def find_shapes(document: type[BaseModel], path: Path) -> list[Any]:
    """The annotations that may stand at a path: alternatives one by one, without what only decorates."""
    shapes: list[Any] = [document]
    for part in path:
        shapes = [bare for shape in shapes for inner in _step(shape, part) for bare in _bare(inner)]
    return shapes


def _step(shape: Any, part: str | int) -> Iterator[Any]:
    if _is_model(shape):
        field = _fields(shape).get(str(part))
        if field is not None:
            yield field.annotation
        return
    arguments = get_args(shape)
    origin = get_origin(shape)
    if origin in (list, tuple, set, frozenset) and isinstance(part, int) and arguments:
        yield arguments[0]
    elif isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2:
        yield arguments[1]


def _bare(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _bare(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from _bare(each)
    elif annotation is not type(None):
        yield annotation


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _is_model(shape: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(shape, type) and issubclass(shape, BaseModel)


def _choices(shapes: Sequence[Any]) -> list[object]:
    return [option for shape in shapes if get_origin(shape) is Literal for option in get_args(shape)]


def _example(shapes: Sequence[Any], depth: int = 0) -> object:
    shape = shapes[0] if shapes else str
    origin = get_origin(shape)
    if _is_model(shape):
        return _example_model(shape, depth)
    if origin is Literal:
        return get_args(shape)[0]
    if origin in (list, tuple):
        return [_example(list(_bare(get_args(shape)[0])), depth + 1)]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"name": _example(list(_bare(get_args(shape)[1])), depth + 1)}
    return {int: 10, float: 0.5, bool: True, timedelta: "5s"}.get(shape, "text")


def _example_model(model: type[BaseModel], depth: int) -> object:
    """The required fields of a model, or its first one."""
    if depth > _DEEPEST_EXAMPLE:
        return {}
    fields = _fields(model)
    wanted = {name: field for name, field in fields.items() if field.is_required()}
    shown_fields = wanted or dict(list(fields.items())[:1])
    return {name: _example(list(_bare(field.annotation)), depth + 1) for name, field in shown_fields.items()}
