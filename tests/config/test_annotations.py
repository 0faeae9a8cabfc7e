"""Which `Config` classes are taken, where their names are looked up, and the schema that comes out."""

from __future__ import annotations

import datetime
from dataclasses import InitVar, dataclass, field, make_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Optional, Union

import pytest

from meshext.config import (
    Document,
    check_config_type,
    config_example,
    config_schema,
    is_secret_name,
    parse_config,
)
from meshext.errors import SpecError

if TYPE_CHECKING:
    from decimal import Decimal


class Outer:
    """Stands for a filter class: its Config names classes that are defined beside it."""

    Mode = Literal["a", "b"]

    @dataclass(frozen=True)
    class Match:
        path: str = "/"

    @dataclass(frozen=True)
    class Rule:
        match: Match  # type: ignore[name-defined]  # noqa: F821  # resolved through the owner, as a person would read it

    @dataclass(frozen=True)
    class Config:
        rules: list[Rule] = field(default_factory=list)  # type: ignore[name-defined]  # noqa: F821  # see above
        mode: Mode = "a"  # type: ignore[name-defined]  # noqa: F821  # see above
        list: str = ""  # hides the builtin in this class body, not in its annotations


class Inner(Outer):
    """A filter that inherits its Config."""


class Empty(Enum):
    pass


@dataclass
class Bare:
    x: list  # type: ignore[type-arg]  # what is tested


@dataclass
class IntKeys:
    split: dict[int, str]


@dataclass
class Bytes:
    x: bytes


@dataclass
class Anything:
    x: dict[str, Any]


@dataclass
class TwoLists:
    x: list[int] | tuple[str, ...]


@dataclass
class TwoMappings:
    x: dict[str, int] | Outer.Match


@dataclass
class Hidden:
    x: Decimal


@dataclass
class Members:
    x: Empty


@dataclass
class Init:
    x: InitVar[int]


@dataclass
class Own:
    x: int

    def __init__(self, y: int) -> None:
        self.x = y


def no_default() -> list[int]:
    raise KeyError("x")


@dataclass
class Factory:
    x: list[int] = field(default_factory=no_default)


@dataclass
class Nested:
    below: list[Bytes]


SUPPORTED = (
    "; supported are str, int, float, bool, list[T], tuple[T, ...], tuple[A, B], dict[str, T], Literal, "
    "Enum, X | None, unions of these, and dataclasses of these"
)
BYTES = "Bytes.x: bytes is not supported: bytes is not a dataclass and can not be written in YAML or JSON"
FIELDS_ONLY = "; a configuration has fields only, without InitVar or an __init__ of its own"


@pytest.mark.parametrize(
    ("config_type", "text"),
    [
        (Bare, "Bare.x: list is not supported: say what is in it, for example list[str]"),
        (IntKeys, "IntKeys.split: dict[int, str] is not supported: a key is str, an Enum or a Literal of "
         "strings"),
        (Bytes, BYTES),
        (Nested, BYTES),
        (Anything, "Anything.x: dict[str, Any] is not supported: say what it is"),
        (TwoLists, "TwoLists.x: list[int] | tuple[str, ...] is not supported: two lists in one union can not "
         "be told apart"),
        (TwoMappings, "TwoMappings.x: dict[str, int] | Outer.Match is not supported: two mappings in one "
         "union can not be told apart"),
        (Members, "Members.x: Empty is not supported: it has no members"),
    ],
)  # fmt: skip
def test_refused_annotations(config_type: type, text: str) -> None:
    with pytest.raises(SpecError) as refusal:
        check_config_type(config_type)
    assert str(refusal.value) == text + SUPPORTED


@pytest.mark.parametrize(
    ("config_type", "text"),
    [
        (int, "int is not a dataclass; put @dataclass above it, or write Config = str for the raw text"),
        (Hidden, "Hidden.x: 'Decimal' names 'Decimal', which is not defined at module level or in the filter "
         "class; move its definition there (not under TYPE_CHECKING)"),
        (Init, "Init: its constructor and its fields differ in x" + FIELDS_ONLY),
        (Own, "Own: its constructor and its fields differ in x, y" + FIELDS_ONLY),
        (Factory, "Factory.x: its default_factory raised KeyError('x')"),
    ],
)  # fmt: skip
def test_refused_classes(config_type: type, text: str) -> None:
    with pytest.raises(SpecError) as refusal:
        check_config_type(config_type)
    assert str(refusal.value) == text


def test_a_broken_annotation_is_named() -> None:
    broken = make_dataclass("Broken", [("x", "list[1 +")])
    with pytest.raises(SpecError, match=r"^Broken\.x: 'list\[1 \+' is no annotation: "):
        check_config_type(broken)


@pytest.mark.parametrize("owner", [Outer, Inner])
def test_names_beside_the_config_class_are_found(owner: type) -> None:
    document = Document('{"rules": [{"match": {"path": "/x"}}], "mode": "b"}')
    parsed = parse_config(Outer.Config, document, owner=owner)
    assert parsed == Outer.Config([Outer.Rule(Outer.Match("/x"))], "b")
    with pytest.raises(SpecError, match="names 'Rule'"):
        check_config_type(Outer.Config)


def test_spellings_of_the_same_type() -> None:
    @dataclass(kw_only=True, slots=True)
    class Spelled:
        a: Optional[int] = None  # noqa: UP045  # what is tested
        b: Union[int, str] = 1  # noqa: UP007  # what is tested
        c: Annotated[str, "note"] = ""
        d: Literal["x"] | None = None
        e: int | float = 0
        shared: ClassVar[int] = 1
        computed: int = field(init=False, default=0)

    parsed = parse_config(Spelled, Document("a: 1\nb: x\nc: y\nd: x\ne: 1"))
    assert repr(parsed).endswith("Spelled(a=1, b='x', c='y', d='x', e=1, computed=0)")


def test_unsupported_types_of_the_standard_library() -> None:
    @dataclass
    class Timed:
        at: datetime.date

    with pytest.raises(
        SpecError, match=r"^Timed\.at: datetime\.date is not supported: date is not a dataclass"
    ):
        check_config_type(Timed)


@dataclass(frozen=True)
class Limit:
    rate: int = field(metadata={"help": "Requests\nper second."})
    keys: dict[Literal["user", "ip"], float] = field(default_factory=dict, metadata={"secret": False})
    token: str = "t0k3n"
    span: tuple[int, str] = (1, "s")
    also: list[Limit] | None = None
    match: Outer.Match = Outer.Match()


def test_schema() -> None:
    assert config_schema(str)["type"] == "string"
    assert config_schema(Limit) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "rate": {"type": "integer", "description": "Requests per second."},
            "keys": {
                "type": "object",
                "additionalProperties": {"type": "number"},
                "propertyNames": {"enum": ["user", "ip"]},
                "default": {},
            },
            "token": {"type": "string", "writeOnly": True},
            "span": {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "items": False,
                "minItems": 2,
                "maxItems": 2,
                "default": [1, "s"],
            },
            "also": {"anyOf": [{"type": "array", "items": {"$ref": "#"}}, {"type": "null"}], "default": None},
            "match": {"$ref": "#/$defs/Match", "default": {"path": "/"}},
        },
        "additionalProperties": False,
        "required": ["rate"],
        "$defs": {
            "Match": {
                "type": "object",
                "properties": {"path": {"type": "string", "default": "/"}},
                "additionalProperties": False,
            }
        },
    }


def test_example() -> None:
    text = config_example(Limit)
    assert text == (
        "# Requests per second.\n"
        "rate: 10  # required\n"
        "keys: {}\n"
        '# token: "text"\n'
        'span: [1, "s"]\n'
        "also: null\n"
        'match: {"path": "/"}\n'
    )
    assert parse_config(Limit, Document(text)) == Limit(10)
    assert config_example(str) == ""


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("token", True),
        ("client_secret", True),
        ("x-api-key", True),
        ("apiKey", True),
        ("password_file", True),
        ("Authorization", True),
        ("key", True),
        ("keyboard", False),
        ("key_count", False),
        ("monkey", False),
        ("header", False),
        ("", False),
    ],
)
def test_secret_names(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret
