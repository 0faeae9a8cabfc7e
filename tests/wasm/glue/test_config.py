"""A configuration is refused inside Envoy in the words of the service: the SDK's rows, through the glue."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Literal

import pytest

from meshext.config import Document, parse_config, parse_document
from meshext.errors import ConfigError
from meshext_wasm.glue.config_text import ConfigText
from meshext_wasm.library.proxy import shapes
from meshext_wasm.library.proxy.json_reader import Reader
from meshext_wasm.library.proxy.problems import Problems
from tests.config.test_messages import ROWS, Everything, Fragile, Level, Required, Rule, Size, Vault

AS_WRITTEN = ("text: 1.10", "ratio: .inf", "ratio: .nan", '{"ratio": 1e999}', "mode: 7.0", "either: 1.5")
"""The SDK shows numbers as they were written, a module as they are."""


@dataclass(frozen=True)
class Flat:
    """`Everything` without the part that contains itself, which a module can not read."""

    text: str = "hello"
    count: int = 3
    ratio: float = 0.5
    on: bool = False
    mode: Literal["fast", "slow", 7] = "fast"
    level: Level = Level.LOW
    size: Size = Size.SMALL
    maybe: int | None = None
    either: int | str | bool = 0
    names: tuple[str, ...] = ()
    span: tuple[int, float] = (0, 1.0)
    split: dict[str, int] = field(default_factory=dict)
    levels: dict[Level, float] = field(default_factory=dict)
    sizes: dict[Size, int] = field(default_factory=dict)
    rule: Rule | None = None
    rules: list[Rule] = field(default_factory=list)
    named: dict[str, Rule] = field(default_factory=dict)
    one_or_many: str | list[str] = "a"


def as_json(text: str) -> str | None:
    """The document as a module gets it; None where the text itself is refused."""
    try:
        written = json.dumps(parse_document(Document(text)) or {})
    except ConfigError:
        return None
    return None if "Infinity" in written else written


CASES = [
    (Flat if config_type is Everything else config_type, given)
    for config_type, text, _ in ROWS
    if config_type in (Everything, Required, Vault, Fragile) and text not in AS_WRITTEN
    if "tree" not in text and (given := as_json(text)) is not None
]


def read(config_type: type, text: str) -> tuple[object, list[str]]:
    """What the shapes that are written for a build make of a document."""
    written = ConfigText(config_type, config_type, 0, lambda cls: cls.__qualname__)
    names = {**vars(shapes), **vars(sys.modules[__name__]), "cast": lambda _, value: value}
    exec("\n".join(written.lines()), names)
    problems = Problems()
    made = eval(written.root, names).read(Reader(text).document(), "", False, problems)
    return made, problems.capped()


def refused(config_type: type, text: str) -> list[str]:
    """The SDK's mistakes."""
    with pytest.raises(ConfigError) as refusal:
        parse_config(config_type, Document(text))
    return list(refusal.value.problems)


@pytest.mark.parametrize(("config_type", "text"), CASES, ids=[text[:40] for _, text in CASES])
def test_refused_in_the_same_words(config_type: type, text: str) -> None:
    assert read(config_type, text)[1] == refused(config_type, text)


def test_many_mistakes_are_counted() -> None:
    text = json.dumps({"names": list(range(1000))})
    problems = read(Flat, text)[1]
    assert problems == refused(Flat, text)
    assert problems[-1] == "and 900 more mistakes"


@pytest.mark.parametrize(
    "text", ['{"level": "high", "size": 2, "span": [1, 2]}', '{"rule": {"name": "x"}, "ratio": 3}', "{}"]
)
def test_read_as_the_service_reads_it(text: str) -> None:
    made, problems = read(Flat, text)
    assert problems == []
    assert repr(made) == repr(parse_config(Flat, Document(text)))


def test_enough_rows() -> None:
    assert len(CASES) >= 45
