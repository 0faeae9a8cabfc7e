"""The shapes of a `Config` class as source text, from the Model that the SDK itself reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from meshext.config import wording
from meshext.config.annotations import build_plain_model
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
from meshext.errors import UnsupportedError
from meshext_wasm.glue.annotations import annotation
from meshext_wasm.glue.values import ValueText


class ConfigText:
    """Writes what reads one filter's configuration; `number` tells the filters of a chain apart."""

    def __init__(self, owner: type, config_type: type, number: int, name_of: Callable[[type], str]) -> None:
        self._model: Model = build_plain_model(config_type, owner=owner)
        self._number = number
        self._name_of = name_of
        self._values = ValueText(name_of)
        self._classes = list(self._model.records)
        for cls, fields in self._model.records.items():
            for field in fields:
                if contains(self._model, field.shape, cls, set()):
                    raise UnsupportedError(
                        f"{cls.__qualname__}.{field.name}: Wasm can not read a configuration that contains "
                        "itself; write how deep it may go, a dataclass for each level"
                    )

    @property
    def root(self) -> str:
        """The expression for the outermost shape."""
        assert isinstance(self._model.root, Record)
        return self._shape(self._model.root)

    def lines(self) -> Iterator[str]:
        """A class below the library's `Record` for each dataclass."""
        for cls in self._classes:
            yield from self._record(cls)

    def _record_name(self, cls: type) -> str:
        return f"Record{self._number}x{self._classes.index(cls)}"

    def _record(self, cls: type) -> Iterator[str]:
        fields = self._model.records[cls]
        name = self._name_of(cls)
        example = wording.written(example_value(self._model, Record(cls)))
        yield from ("", "", f"class {self._record_name(cls)}(Record):", f'    """`{name}`."""', "")
        yield "    def __init__(self) -> None:"
        yield f"        super().__init__({cls.__name__!r}, ["
        for field in fields:
            missing = wording.missing(self._model, field.shape, field.name) if field.required else ""
            shape = self._shape(field.shape)
            yield f"            Field({field.name!r}, {shape}, {missing!r}, {field.secret}),"
        yield f"        ], {example!r})"
        yield ""
        yield "    def make(self, values: dict[str, object]) -> object:"
        yield '        """The instance."""'
        for field in fields:
            yield from self._value(cls, field)
        given = ", ".join(f"{field.name}={field.name}_" for field in fields)
        yield f"        return {name}({given})"

    def _value(self, cls: type, field: Field) -> Iterator[str]:
        kind = annotation(field.shape, self._name_of)
        taken = f"cast({kind!r}, values[{field.name!r}])"
        if field.required:
            yield f"        {field.name}_: {kind} = {taken}"
            return
        where = f"{cls.__qualname__}.{field.name}"
        yield f"        {field.name}_: {kind} = {self._values.write(default_of(cls, field.name), where)}"
        yield f"        if {field.name!r} in values:"
        yield f"            {field.name}_ = {taken}"

    def _shape(self, shape: Shape) -> str:
        words = f"{wording.described(shape)!r}, {wording.written(example_value(self._model, shape))!r}"
        match shape:
            case Scalar(kind):
                return f"Scalar({kind!r}, {words})"
            case Choice(options):
                written = ", ".join(repr(each) for each, _ in options)
                values = ", ".join(self._values.write(value, "an option") for _, value in options)
                return f"Choice([{written}], [{values}], {words})"
            case ListOf(item, as_tuple):
                return f"ListOf({self._shape(item)}, {as_tuple}, {words})"
            case TupleOf(items):
                return f"TupleOf([{', '.join(map(self._shape, items))}], {words})"
            case DictOf(key, value):
                return f"DictOf({self._shape(key)}, {self._shape(value)}, {words})"
            case OneOf(alternatives):
                return f"OneOf([{', '.join(map(self._shape, alternatives))}], {words})"
            case Record(cls):
                return f"{self._record_name(cls)}()"


def default_of(cls: type, name: str) -> object:
    """The default of a field, made anew where a factory makes it."""
    [field] = [each for each in dataclasses.fields(cls) if each.name == name]
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def contains(model: Model, shape: Shape, wanted: type, seen: set[type]) -> bool:
    """Whether a dataclass is somewhere inside of a shape."""
    match shape:
        case Record(cls):
            if cls is wanted:
                return True
            if cls in seen:
                return False
            inner = [field.shape for field in model.records[cls]]
            return any(contains(model, each, wanted, seen | {cls}) for each in inner)
        case ListOf(item):
            return contains(model, item, wanted, seen)
        case DictOf(_, value):
            return contains(model, value, wanted, seen)
        case TupleOf(items) | OneOf(items):
            return any(contains(model, item, wanted, seen) for item in items)
    return False
