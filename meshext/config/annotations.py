"""From a `Config` class to its Model: the only place where Python annotations are read."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from meshext.config.redaction import is_secret_name
from meshext.config.shapes import (
    Choice,
    DictOf,
    Field,
    Kind,
    ListOf,
    Model,
    OneOf,
    Record,
    Scalar,
    Shape,
    TupleOf,
    Written,
    plain_value,
)
from meshext.errors import SpecError

SUPPORTED = (
    "str, int, float, bool, list[T], tuple[T, ...], tuple[A, B], dict[str, T], Literal, Enum, X | None, "
    "unions of these, and dataclasses of these"
)

_SCALARS: dict[object, Kind] = {str: "str", int: "int", float: "float", bool: "bool", type(None): "null"}
_KIND_ORDER = ("null", "bool", "int", "float", "str")


def check_config_type(config_type: type, *, owner: type | None = None) -> None:
    """Check, when a filter is loaded, its `Config` class; SpecError names class, field and annotation.

    `owner` is the filter class: names in annotations are also looked up among the classes defined in it.
    """
    build_model(config_type, owner=owner)


def build_model(config_type: type, *, owner: type | None = None) -> Model:
    """The Model of a `Config` class (a dataclass, or one that reads raw text); SpecError when it has none."""
    if takes_text(config_type):
        return Model(Scalar("str"), {})
    return build_plain_model(config_type, owner=owner)


def reads_itself(config_type: type) -> bool:
    """Whether a class reads the text of a configuration by a `from_document` of its own."""
    return inspect.ismethod(getattr(config_type, "from_document", None))


def build_plain_model(config_type: type, *, owner: type | None = None) -> Model:
    """The Model of a dataclass that reads a format of its own: of what it has read, for `to_plain`."""
    builder = _ModelBuilder([owner] if owner is not None else [])
    root = builder.record(config_type, f"{_name(config_type)} is not a dataclass")
    return Model(root, builder.records)


def takes_text(config_type: type) -> bool:
    """Whether a configuration comes as raw text: to `str`, or to a class with `from_document` of its own.

    That is a classmethod from a `Document` to an instance, which raises ConfigError with every mistake. It is
    for a format that somebody else has defined.
    """
    return config_type is str or reads_itself(config_type)


class _Unsupported(Exception):
    pass


class _ModelBuilder:
    def __init__(self, scopes: list[type]) -> None:
        self._scopes = scopes
        self.records: dict[type, tuple[Field, ...]] = {}

    def record(self, cls: object, complaint: str) -> Record:
        if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
            raise SpecError(f"{complaint}; put @dataclass above it, or write Config = str for the raw text")
        if cls not in self.records:
            self.records[cls] = ()
            _check_constructor(cls)
            self._scopes.append(cls)
            self.records[cls] = tuple(self._fields(cls))
            self._scopes.pop()
        return Record(cls)

    def _fields(self, cls: type) -> Iterator[Field]:
        for field in dataclasses.fields(cls):
            if not field.init:
                continue
            shown = field.type if isinstance(field.type, str) else _annotation(field.type)
            try:
                shape = self._shape(self._resolve(cls, field))
            except _Unsupported as refusal:
                raise SpecError(
                    f"{_name(cls)}.{field.name}: {shown} is not supported: {refusal}; "
                    f"supported are {SUPPORTED}"
                ) from None
            yield _field(cls, field, shape)

    def _resolve(self, cls: type, field: dataclasses.Field[Any]) -> object:
        home = next(base for base in cls.__mro__ if field.name in inspect.get_annotations(base))
        annotation = inspect.get_annotations(home)[field.name]
        shim = type("Shim", (), {"__annotations__": {field.name: annotation}})
        names = {name: value for scope in (*self._scopes, home) for name, value in _names(scope)}
        try:
            return typing.get_type_hints(shim, globalns=_module_names(home), localns=names)[field.name]
        except NameError as error:
            raise SpecError(
                f"{_name(cls)}.{field.name}: {annotation!r} names {error.name!r}, which is not defined at "
                "module level or in the filter class; move its definition there (not under TYPE_CHECKING)"
            ) from None
        except Exception as error:
            raise SpecError(f"{_name(cls)}.{field.name}: {annotation!r} is no annotation: {error}") from error

    def _shape(self, annotation: Any) -> Shape:
        if annotation in _SCALARS:
            return Scalar(_SCALARS[annotation])
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Literal:
            return _choice([_literal(value) for value in arguments])
        if origin in (Union, types.UnionType):
            return _one_of([self._shape(argument) for argument in arguments])
        if origin is list:
            return ListOf(self._shape(arguments[0]))
        if origin is tuple:
            return self._tuple(arguments)
        if origin is dict:
            return DictOf(self._dict_key(arguments[0]), self._shape(arguments[1]))
        if isinstance(annotation, type) and issubclass(annotation, Enum):
            return _enum(annotation)
        if isinstance(annotation, type) and origin is None and dataclasses.is_dataclass(annotation):
            return self.record(annotation, "")
        raise _Unsupported(_why(annotation))

    def _tuple(self, arguments: tuple[Any, ...]) -> Shape:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return ListOf(self._shape(arguments[0]), as_tuple=True)
        if not arguments:
            raise _Unsupported("an empty tuple holds nothing")
        return TupleOf(tuple(self._shape(argument) for argument in arguments))

    def _dict_key(self, annotation: Any) -> Scalar | Choice:
        shape = self._shape(annotation)
        if shape == Scalar("str") and isinstance(shape, Scalar):
            return shape
        if isinstance(shape, Choice):
            named = tuple(option for option in shape.options if isinstance(option[0], str))
            if named:
                return Choice(named, tuple(item for item in shape.listed if isinstance(item, str)))
        raise _Unsupported("a key is str, an Enum or a Literal of strings")


def _field(cls: type, field: dataclasses.Field[Any], shape: Shape) -> Field:
    required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    default: object = field.default
    if field.default_factory is not dataclasses.MISSING:
        try:
            default = field.default_factory()
        except Exception as error:
            raise SpecError(f"{_name(cls)}.{field.name}: its default_factory raised {error!r}") from error
    return Field(
        name=field.name,
        shape=shape,
        required=required,
        default=None if required else plain_value(default),
        help=" ".join(str(field.metadata.get("help", "")).split()),
        secret=bool(field.metadata.get("secret", is_secret_name(field.name))),
    )


def _check_constructor(cls: type) -> None:
    expected = {field.name for field in dataclasses.fields(cls) if field.init}
    strange = expected ^ set(inspect.signature(cls).parameters)
    if strange:
        raise SpecError(
            f"{_name(cls)}: its constructor and its fields differ in {', '.join(sorted(strange))}; "
            "a configuration has fields only, without InitVar or an __init__ of its own"
        )


def _names(scope: type) -> Iterator[tuple[str, object]]:
    """Types a class body defines; a field or method that happens to be called `list` must not hide `list`."""
    for base in reversed(scope.__mro__):
        for name, value in vars(base).items():
            is_type = isinstance(value, type | types.UnionType) or get_origin(value) is not None
            if is_type and not name.startswith("__"):
                yield name, value


def _module_names(cls: type) -> dict[str, Any]:
    return dict(vars(sys.modules[cls.__module__])) if cls.__module__ in sys.modules else {}


def _literal(value: object) -> tuple[Written, object]:
    if isinstance(value, Enum):
        return (value.value if isinstance(value.value, str) else value.name), value
    if value is None or isinstance(value, str | int):
        return value, value
    raise _Unsupported(f"{value!r} can not be written in YAML or JSON")


def _choice(options: list[tuple[Written, object]]) -> Choice:
    return Choice(tuple(options), tuple(option[0] for option in options))


def _enum(cls: type[Enum]) -> Choice:
    """Members by value where that is a string; others by name, and by value where it is a number."""
    listed = [_literal(member) for member in cls]
    names = {name: member for name, member in cls.__members__.items() if not isinstance(member.value, str)}
    numbers = [(member.value, member) for member in cls if isinstance(member.value, int | float)]
    if not listed:
        raise _Unsupported("it has no members")
    options = dict.fromkeys([*listed, *names.items(), *numbers])
    return Choice(tuple(options), tuple(option[0] for option in listed))


def _one_of(options: list[Shape]) -> Shape:
    nested = (option.options if isinstance(option, OneOf) else (option,) for option in options)
    flat = [option for group in nested for option in group]
    if sum(isinstance(option, ListOf | TupleOf) for option in flat) > 1:
        raise _Unsupported("two lists in one union can not be told apart")
    if sum(isinstance(option, DictOf | Record) for option in flat) > 1:
        raise _Unsupported("two mappings in one union can not be told apart")

    def order(option: Shape) -> tuple[int, int]:
        if isinstance(option, Scalar):
            return (3, 0) if option.kind == "null" else (2, _KIND_ORDER.index(option.kind))
        return (0 if isinstance(option, Choice) else 1), 0

    return OneOf(tuple(sorted(flat, key=order)))


def _why(annotation: Any) -> str:
    if annotation in (list, tuple, dict):
        inside = "str, int" if annotation is dict else "str, ..." if annotation is tuple else "str"
        return f"say what is in it, for example {annotation.__name__}[{inside}]"
    if annotation in (Any, object):
        return "say what it is"
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return f"{_name(annotation)} is not a dataclass and can not be written in YAML or JSON"
    return "it can not be written in YAML or JSON"


def _annotation(annotation: object) -> str:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__name__
    return repr(annotation).replace("typing.", "")


def _name(cls: object) -> str:
    return getattr(cls, "__qualname__", repr(cls)).rpartition("<locals>.")[2]
