"""From a Model and a document to an instance of the `Config` class, or every mistake at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar, cast

from meshext.config import wording
from meshext.config.annotations import build_model
from meshext.config.documents import Document, Plain, check_text, is_finite, parse_document
from meshext.config.redaction import REDACTED, is_secret_name, redact, secret_texts
from meshext.config.shapes import (
    Choice,
    DictOf,
    ListOf,
    Model,
    OneOf,
    Place,
    Record,
    Scalar,
    Shape,
    TupleOf,
    Written,
    example_value,
)
from meshext.errors import ConfigError

MAX_PROBLEMS = 100

_T = TypeVar("_T")
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1  # a compiled filter counts in 64 bits


class _Refused:
    """Stands for a value whose problem has been noted."""


_REFUSED: Final = _Refused()


def parse_config(config_type: type[_T], document: Document | None, *, owner: type | None = None) -> _T:
    """An instance of the `Config` class, from a document or (None) from the defaults of its fields.

    ConfigError lists every mistake as `path: problem; what to write`; SpecError when the class itself can
    not be a configuration. `owner` is the filter class, see `check_config_type`. Secrets are not shown.
    A class refuses its values by `raise ValueError(text, ...)` in `__post_init__`, each text a mistake.
    """
    model = build_model(config_type, owner=owner)
    if isinstance(model.root, Scalar):
        return _from_text(config_type, _raw_document(document))
    source = document.source if document is not None else "configuration"
    value = parse_document(document) if document is not None else None
    if document is None:
        _check_defaults(model, model.root)
    reader = _Reader(model)
    instance = reader.read(model.root, {} if value is None else value, Place())
    if reader.problems:
        raise ConfigError(_capped(reader.problems), source=source) from reader.cause
    return cast(_T, instance)


def _raw_document(document: Document | None) -> Document:
    if document is None:
        raise ConfigError(["this filter needs a text as its configuration; give --config FILE"])
    if not check_text(document).strip():
        raise ConfigError(["is empty, but this filter needs a text"], source=document.source)
    return document


def _from_text(config_type: type[_T], document: Document) -> _T:
    if config_type is str:
        return cast(_T, document.text)
    read = cast("Callable[[Document], _T]", getattr(config_type, "from_document"))  # noqa: B009  # its own format
    return read(document)


def _check_defaults(model: Model, root: Record) -> None:
    required = [field.name for field in model.fields(root) if field.required]
    if required:
        fields = f"field {required[0]} has" if len(required) == 1 else f"fields {', '.join(required)} have"
        example = wording.written(example_value(model, root))
        raise ConfigError([f"{fields} no default; give --config FILE or --config '{example}'"])


def _capped(problems: list[str]) -> list[str]:
    more = len(problems) - MAX_PROBLEMS
    return [*problems[:MAX_PROBLEMS], f"and {more} more mistakes"] if more > 0 else problems


class _Reader:
    """Reads values by their shapes; `read` notes what is wrong and answers `_REFUSED` instead of a value."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._secrets: set[str] = set()
        self.problems: list[str] = []
        self.cause: Exception | None = None

    def read(self, shape: Shape, value: Plain, place: Place) -> object:
        match shape:
            case Scalar() if _fits(shape, value):
                return _converted(shape, value)
            case Choice() if (pair := _option(shape, value)) is not None:
                return pair[1]
            case ListOf() if isinstance(value, list):
                items = self._items([shape.item] * len(value), value, place)
                return tuple(items) if shape.as_tuple and isinstance(items, list) else items
            case TupleOf() if isinstance(value, list):
                return self._tuple(shape, value, place)
            case DictOf() if isinstance(value, dict):
                return self._dict(shape, value, place)
            case Record() if isinstance(value, dict):
                return self._record(shape, value, place)
            case OneOf():
                return self._one_of(shape, value, place)
        return self._refuse(place, wording.mismatch(self._model, shape, value, secret=place.secret))

    def _refuse(self, place: Place, problem: str) -> _Refused:
        self.problems.append(place.says(problem))
        return _REFUSED

    def _items(self, shapes: list[Shape], values: list[Plain], place: Place) -> list[object] | _Refused:
        items = [
            self.read(shape, value, place.item(index))
            for index, (shape, value) in enumerate(zip(shapes, values, strict=True))
        ]
        return _REFUSED if any(item is _REFUSED for item in items) else items

    def _tuple(self, shape: TupleOf, value: list[Plain], place: Place) -> object:
        if len(value) != len(shape.items):
            example = wording.written(example_value(self._model, shape))
            expected = f"expected {wording.described(shape)}, got {len(value)}"
            return self._refuse(place, f"{expected}; write for example {example}")
        items = self._items(list(shape.items), value, place)
        return tuple(items) if isinstance(items, list) else items

    def _dict(self, shape: DictOf, value: dict[str, Plain], place: Place) -> object:
        result: dict[object, object] = {}
        refused = False
        for name, item in value.items():
            below = place.at(REDACTED if place.secret else name, secret=place.secret or is_secret_name(name))
            if below.secret:
                self._secrets.update(secret_texts(item))
            key = self._key(shape.key, name, place)
            read = self.read(shape.value, item, below)
            if key in result:
                problem = f"key {wording.shown(name, secret=place.secret)} means the same as an earlier key"
                self._refuse(place, f"{problem}; keep one of them")
            refused = refused or read is _REFUSED or key is _REFUSED or key in result
            result[key] = read
        return _REFUSED if refused else result

    def _key(self, shape: Scalar | Choice, name: str, place: Place) -> object:
        if isinstance(shape, Scalar):
            return name
        pair = _option(shape, name)
        if pair is not None:
            return pair[1]
        return self._refuse(place, f"key: {wording.mismatch(self._model, shape, name, secret=place.secret)}")

    def _one_of(self, shape: OneOf, value: Plain, place: Place) -> object:
        for option in shape.options:
            match option:
                case Scalar() if _fits(option, value):
                    return self.read(option, value, place)
                case Choice() if _option(option, value) is not None:
                    return self.read(option, value, place)
                case ListOf() | TupleOf() if isinstance(value, list):
                    return self.read(option, value, place)
                case DictOf() | Record() if isinstance(value, dict):
                    return self.read(option, value, place)
        return self._refuse(place, wording.mismatch(self._model, shape, value, secret=place.secret))

    def _record(self, record: Record, value: dict[str, Plain], place: Place) -> object:
        fields = {field.name: field for field in self._model.fields(record)}
        before = len(self.problems)
        for name in value:
            if name not in fields:
                self._unknown(name, list(fields), place)
        arguments: dict[str, object] = {}
        for name, field in fields.items():
            below = place.at(name, secret=place.secret or field.secret)
            if name in value:
                if below.secret:
                    self._secrets.update(secret_texts(value[name]))
                arguments[name] = self.read(field.shape, value[name], below)
            elif field.required:
                self._refuse(below, wording.missing(self._model, field.shape, name))
        return self._build(record, arguments, place) if len(self.problems) == before else _REFUSED

    def _unknown(self, name: str, known: list[str], place: Place) -> None:
        below = place.at(REDACTED if place.secret else name, secret=True)
        if len(self.problems) < MAX_PROBLEMS:
            self._refuse(below, wording.unknown_key(REDACTED if place.secret else name, known))
        else:
            self._refuse(below, "unknown key")

    def _build(self, record: Record, arguments: dict[str, object], place: Place) -> object:
        name = record.config_class.__name__
        try:
            return record.config_class(**arguments)
        except ValueError as refusal:
            cause: Exception = refusal
            texts = [_one_line(text) or f"refused by {name} without a reason" for text in _mistakes(refusal)]
        except Exception as bug:
            cause = bug
            reason = _one_line(f"{type(bug).__name__}: {bug}")
            texts = [f"{name} raised {reason} (a refusal would be a ValueError)"]
        redacted = [redact(text, self._secrets) for text in texts]
        if redacted == texts:  # else a traceback would show the secret after all
            self.cause = self.cause or cause
        for text in redacted:
            self._refuse(place, text)
        return _REFUSED


def _mistakes(refusal: ValueError) -> list[str]:
    """What a refusal says: `ValueError("one", "another")` is two mistakes."""
    texts = [text for text in refusal.args if isinstance(text, str)]
    return texts if 1 < len(texts) == len(refusal.args) else [str(refusal)]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _fits(shape: Scalar, value: Plain) -> bool:
    match shape.kind:
        case "str":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "int":
            return isinstance(value, int) and not isinstance(value, bool) and _INT_MIN <= value <= _INT_MAX
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool) and is_finite(value)


def _converted(shape: Scalar, value: Plain) -> Written:
    if shape.kind == "float" and isinstance(value, int | float):
        return float(value)
    return cast(Written, value)


def _option(shape: Choice, value: Plain) -> tuple[Written, object] | None:
    """The option written like this; `true` is not 1, and 1.0 is not 1."""
    for pair in shape.options:
        if _sort(pair[0]) is _sort(value) and pair[0] == value:
            return pair
    return None


def _sort(value: object) -> type:
    return float if isinstance(value, float) else type(value)
