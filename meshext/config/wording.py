"""The words of a refusal: what was expected, what was found, what to write instead."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable

from meshext.config.documents import is_finite
from meshext.config.redaction import REDACTED
from meshext.config.shapes import (
    Choice,
    DictOf,
    ListOf,
    Model,
    OneOf,
    Record,
    Scalar,
    Shape,
    TupleOf,
    example_value,
)

_SHOWN = 60  # characters of a value
_LONGEST_NAME = 64  # characters; comparing longer names costs more than it tells
_KIND_WORDS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
}
_INT_TEXT = re.compile(r"[-+]?[0-9][0-9_]{0,17}")
_FLOAT_TEXT = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,30})?")
_BOOL_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "y", "1"), True),
    **dict.fromkeys(("false", "no", "off", "n", "0"), False),
}


def written(value: object) -> str:
    """A value as JSON, which is also YAML: what a person may copy into the configuration."""
    return json.dumps(value, ensure_ascii=False)


def shown(value: object, *, secret: bool = False) -> str:
    """A value that was found, short enough for one line."""
    if secret:
        return REDACTED
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value[: _SHOWN + 1] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def described(shape: Shape) -> str:
    """What a shape expects, as the object of `expected`."""
    match shape:
        case Scalar(kind):
            return _KIND_WORDS[kind]
        case Choice():
            listed = _listing(shape)
            return f"one of {listed}" if len(shape.listed) > 1 else listed
        case ListOf():
            return "a list"
        case TupleOf():
            return f"a list of {len(shape.items)} items" if len(shape.items) > 1 else "a list of 1 item"
        case DictOf() | Record():
            return "a mapping"
        case OneOf():
            *parts, last = (_listing(o) if isinstance(o, Choice) else described(o) for o in shape.options)
            return f"{', '.join(parts)} or {last}" if parts else last


def mismatch(model: Model, shape: Shape, value: object, *, secret: bool) -> str:
    """`expected ..., got ...; write ...` for a value that does not fit the shape."""
    found = shown(value, secret=secret)
    return f"expected {described(shape)}, got {found}; {_advice(model, shape, value, secret)}"


def missing(model: Model, shape: Shape, name: str) -> str:
    """The words for a required field that is not there."""
    return f"missing, expected {described(shape)}; write for example {name}: {_example(model, shape)}"


def unknown_key(name: str, known: Iterable[str]) -> str:
    """The words for a key that no field has."""
    names = list(known)
    if not names:
        return "unknown key; this mapping has no keys, write {}"
    guess = nearest(name.replace("-", "_").lower(), names)
    hint = f"did you mean {guess!r}? " if guess else ""
    return f"unknown key; {hint}known keys: {', '.join(names)}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant."""
    if len(name) > _LONGEST_NAME:
        return None
    found = difflib.get_close_matches(name, list(known), n=1)
    return found[0] if found else None


def _listing(shape: Choice) -> str:
    return ", ".join(shown(option) for option in shape.listed)


def _example(model: Model, shape: Shape) -> str:
    return written(example_value(model, shape))


def _advice(model: Model, shape: Shape, value: object, secret: bool) -> str:
    options = shape.options if isinstance(shape, OneOf) else (shape,)
    for option in options:
        advice = _close_call(option, value, secret)
        if advice:
            return advice
    return f"write for example {_example(model, shape)}"


def _close_call(shape: Shape, value: object, secret: bool) -> str | None:
    """Advice for a value that is right but for the way it is written; None when it is just wrong."""
    match shape:
        case Scalar("str") if isinstance(value, bool | int | float):
            return "put it in quotes" + ("" if secret else f": {written(_text(value))}")
        case _ if secret:
            return None
        case Scalar("int") if isinstance(value, bool | int):
            return None if isinstance(value, bool) else "it must fit 64 bits"
        case Scalar("float") if isinstance(value, float) and not is_finite(value):
            return "write a finite number"
        case Scalar("int") if isinstance(value, float) and repr(value).lstrip("+-").isdigit():
            return "it must fit 64 bits"
        case Scalar("int") if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            return f"write {int(value)}"
        case Scalar("int") if isinstance(value, str) and _INT_TEXT.fullmatch(value):
            return f"write {int(value.replace('_', ''))}"
        case Scalar("float") if isinstance(value, str) and _FLOAT_TEXT.fullmatch(value):
            return f"write {value}"
        case Scalar("bool") if isinstance(value, str | int) and str(value).lower() in _BOOL_WORDS:
            return f"write {written(_BOOL_WORDS[str(value).lower()])}"
        case Choice() if isinstance(value, str):
            guess = nearest(value, [option for option in shape.listed if isinstance(option, str)])
            return f"did you mean {guess!r}?" if guess else None
        case _:
            return None


def _text(value: bool | int | float) -> str:
    return written(value) if isinstance(value, bool) else repr(value)
