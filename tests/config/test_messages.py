"""The words of every refusal, one row each: class, document, the exact problems."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Literal

import pytest

from meshext.config import Document, parse_config
from meshext.errors import ConfigError


class Level(Enum):
    LOW = "low"
    HIGH = "high"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    weight: int = 1
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise ValueError(f"weight must not be negative, got {self.weight}")


@dataclass
class Tree:
    label: str = ""
    children: list[Tree] = field(default_factory=list)


@dataclass(frozen=True)
class Everything:
    text: str = "hello"
    count: int = field(default=3, metadata={"help": "How many."})
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
    tree: Tree = field(default_factory=Tree)
    one_or_many: str | list[str] = "a"


@dataclass(frozen=True)
class Required:
    header: str
    limit: int
    rules: list[Rule]
    note: str = ""


@dataclass(frozen=True)
class Vault:
    token: str = ""
    client_secret: int = 0
    api_keys: dict[str, int] = field(default_factory=dict)
    pin: str = field(default="", metadata={"secret": True})
    sort_key: str = field(default="", metadata={"secret": False})
    headers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.token.startswith("bad"):
            raise ValueError(f"token {self.token!r} is not signed", f"nor is {self.token} long")


@dataclass(frozen=True)
class Fragile:
    text: str = ""

    def __post_init__(self) -> None:
        if self.text == "silent":
            raise ValueError
        if self.text == "several":
            raise ValueError("text is long\n", "", "text is dull")
        if self.text == "odd":
            raise ValueError("text", 5)
        if self.text == "bug":
            raise KeyError("text")


KNOWN = (
    "known keys: text, count, ratio, on, mode, level, size, maybe, either, names, span, split, levels, "
    "sizes, rule, rules, named, tree, one_or_many"
)

ROWS: list[tuple[type, str, list[str]]] = [
    # whole numbers
    (Everything, "split: {v2: ten}", ["split.v2: expected a whole number, got 'ten'; write for example 10"]),
    (Everything, "split: {v2: '10'}", ["split.v2: expected a whole number, got '10'; write 10"]),
    (Everything, "count: 1_000", ["count: expected a whole number, got '1_000'; write 1000"]),
    (Everything, "count: 0755", ["count: expected a whole number, got '0755'; write 755"]),
    (Everything, "count: 3.0", ["count: expected a whole number, got 3.0; write 3"]),
    (Everything, "count: 3.5", ["count: expected a whole number, got 3.5; write for example 10"]),
    (Everything, "count: true", ["count: expected a whole number, got true; write for example 10"]),
    (Everything, "count:", ["count: expected a whole number, got null; write for example 10"]),
    (
        Everything,
        "count: 9223372036854775808",
        ["count: expected a whole number, got 9223372036854775808; it must fit 64 bits"],
    ),
    (
        Everything,
        f"count: {'9' * 5000}",
        [f"count: expected a whole number, got {'9' * 57}...; it must fit 64 bits"],
    ),
    (Everything, "split: {a.b: x}", ["split['a.b']: expected a whole number, got 'x'; write for example 10"]),
    # numbers
    (Everything, "ratio: abc", ["ratio: expected a number, got 'abc'; write for example 0.5"]),
    (Everything, "ratio: '0.5'", ["ratio: expected a number, got '0.5'; write 0.5"]),
    (Everything, "ratio: true", ["ratio: expected a number, got true; write for example 0.5"]),
    (Everything, "ratio: .inf", ["ratio: expected a number, got .inf; write a finite number"]),
    (Everything, "ratio: .nan", ["ratio: expected a number, got .nan; write a finite number"]),
    (Everything, '{"ratio": 1e999}', ["ratio: expected a number, got 1e999; write a finite number"]),
    # strings
    (Everything, "text: 1.10", ['text: expected a string, got 1.10; put it in quotes: "1.10"']),
    (Everything, "text: 5", ['text: expected a string, got 5; put it in quotes: "5"']),
    (Everything, "text: true", ['text: expected a string, got true; put it in quotes: "true"']),
    (Everything, "text:", ['text: expected a string, got null; write for example "text"']),
    (Everything, "text: [a]", ['text: expected a string, got a list; write for example "text"']),
    # true and false
    (Everything, "on: yes", ["on: expected true or false, got 'yes'; write true"]),
    (Everything, "on: 'no'", ["on: expected true or false, got 'no'; write false"]),
    (Everything, "on: 1", ["on: expected true or false, got 1; write true"]),
    (Everything, "on: maybe", ["on: expected true or false, got 'maybe'; write for example true"]),
    # choices
    (Everything, "mode: fats", ["mode: expected one of 'fast', 'slow', 7, got 'fats'; did you mean 'fast'?"]),
    (
        Everything,
        "mode: 7.0",
        ["mode: expected one of 'fast', 'slow', 7, got 7.0; write for example \"fast\""],
    ),
    (
        Everything,
        "level: LOW",
        ["level: expected one of 'low', 'high', got 'LOW'; write for example \"low\""],
    ),
    (
        Everything,
        "size: true",
        ["size: expected one of 'SMALL', 'LARGE', got true; write for example \"SMALL\""],
    ),
    (
        Everything,
        "levels: {hi: 2}",
        ["levels: key: expected one of 'low', 'high', got 'hi'; did you mean 'high'?"],
    ),
    # unions
    (Everything, "maybe: x", ["maybe: expected a whole number or null, got 'x'; write for example 10"]),
    (
        Everything,
        "either: 1.5",
        ['either: expected true or false, a whole number or a string, got 1.5; put it in quotes: "1.5"'],
    ),
    (Everything, "one_or_many: [1]", ['one_or_many[0]: expected a string, got 1; put it in quotes: "1"']),
    (
        Everything,
        "one_or_many: {}",
        ['one_or_many: expected a list or a string, got a mapping; write for example ["text"]'],
    ),
    # lists and mappings
    (Everything, "names: a", ["names: expected a list, got 'a'; write for example [\"text\"]"]),
    (Everything, "names: [a, 1]", ['names[1]: expected a string, got 1; put it in quotes: "1"']),
    (Everything, "span: [1]", ["span: expected a list of 2 items, got 1; write for example [10, 0.5]"]),
    (Everything, "span: [x, 2]", ["span[0]: expected a whole number, got 'x'; write for example 10"]),
    (Everything, "split: [1]", ['split: expected a mapping, got a list; write for example {"name": 10}']),
    (Everything, "[1]", ['expected a mapping, got a list; write for example {"text": "text"}']),
    # keys
    (Everything, "conut: 1", [f"conut: unknown key; did you mean 'count'? {KNOWN}"]),
    (Everything, "one-or-many: x", [f"one-or-many: unknown key; did you mean 'one_or_many'? {KNOWN}"]),
    (Everything, "zzzzz: 1", [f"zzzzz: unknown key; {KNOWN}"]),
    (
        Everything,
        "rule: {nmae: x}",
        [
            "rule.nmae: unknown key; did you mean 'name'? known keys: name, weight, tags",
            'rule.name: missing, expected a string; write for example name: "text"',
        ],
    ),
    # all at once
    (
        Required,
        "header: 5\nlimit: x\nrules: [{}]\nnoet: 1",
        [
            "noet: unknown key; did you mean 'note'? known keys: header, limit, rules, note",
            'header: expected a string, got 5; put it in quotes: "5"',
            "limit: expected a whole number, got 'x'; write for example 10",
            'rules[0].name: missing, expected a string; write for example name: "text"',
        ],
    ),
    (
        Required,
        "# nothing",
        [
            'header: missing, expected a string; write for example header: "text"',
            "limit: missing, expected a whole number; write for example limit: 10",
            'rules: missing, expected a list; write for example rules: [{"name": "text"}]',
        ],
    ),
    # the class's own refusals
    (Everything, "rule: {name: x, weight: -1}", ["rule: weight must not be negative, got -1"]),
    (
        Everything,
        "rules: [{name: x, weight: -1}, {name: 3}, 5]",
        [
            "rules[0]: weight must not be negative, got -1",
            'rules[1].name: expected a string, got 3; put it in quotes: "3"',
            'rules[2]: expected a mapping, got 5; write for example {"name": "text"}',
        ],
    ),
    (
        Everything,
        "tree: {children: [{label: 1}]}",
        ['tree.children[0].label: expected a string, got 1; put it in quotes: "1"'],
    ),
    (Fragile, "text: silent", ["refused by Fragile without a reason"]),
    (
        Fragile,
        "text: several",
        ["text is long", "refused by Fragile without a reason", "text is dull"],
    ),
    (Fragile, "text: odd", ["('text', 5)"]),
    (Fragile, "text: bug", ["Fragile raised KeyError: 'text' (a refusal would be a ValueError)"]),
    # secrets
    (Vault, "token: 5", ["token: expected a string, got <redacted>; put it in quotes"]),
    (Vault, "token: [hunter2]", ['token: expected a string, got <redacted>; write for example "text"']),
    (
        Vault,
        "client_secret: '7'",
        ["client_secret: expected a whole number, got <redacted>; write for example 10"],
    ),
    (Vault, "pin: 1234", ["pin: expected a string, got <redacted>; put it in quotes"]),
    (Vault, "sort_key: 5", ['sort_key: expected a string, got 5; put it in quotes: "5"']),
    (
        Vault,
        "api_keys: {sk-1: x}",
        ["api_keys[<redacted>]: expected a whole number, got <redacted>; write for example 10"],
    ),
    (
        Vault,
        "api_keys: {sk-1: 1, sk-1: 2}",
        ["line 1: key <redacted> was already given on line 1; keep one of them"],
    ),
    (
        Vault,
        '{"api_keys": {"sk-1": 1, "sk-1": 2}}',
        ["line 1: key <redacted> was already given on line 1; keep one of them"],
    ),
    (Vault, "api_keys: {12: 1}", ["line 1: key <redacted> is not a string; put it in quotes"]),
    (
        Vault,
        "headers: {x-password: hunter2}",
        ["headers.x-password: expected a whole number, got <redacted>; write for example 10"],
    ),
    (Vault, "token: bad-thing", ["token '<redacted>' is not signed", "nor is <redacted> long"]),
    # text
    (str, " \n", ["is empty, but this filter needs a text"]),
]


@pytest.mark.parametrize(("config_type", "text", "problems"), ROWS, ids=[row[1][:40] for row in ROWS])
def test_problems(config_type: type, text: str, problems: list[str]) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_config(config_type, Document(text, "c.yaml"))
    assert list(refusal.value.problems) == problems
    assert str(refusal.value).startswith("c.yaml: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Everything()),
        ("null", Everything()),
        ("{}", Everything()),
        ("text: no", Everything(text="no")),
        ("text: 2024-05-01", Everything(text="2024-05-01")),
        ("text: 12:30:00", Everything(text="12:30:00")),
        ("text: 0755", Everything(text="0755")),
        ("text: '5'", Everything(text="5")),
        ("on: True", Everything(on=True)),
        ("count: 0x10", Everything(count=16)),
        ("ratio: 3", Everything(ratio=3.0)),
        ("mode: 7", Everything(mode=7)),
        ("level: high", Everything(level=Level.HIGH)),
        ("size: LARGE", Everything(size=Size.LARGE)),
        ("size: 2", Everything(size=Size.LARGE)),
        ("either: true", Everything(either=True)),
        ("either: off", Everything(either="off")),
        ("maybe: ~", Everything(maybe=None)),
        ("names: [a, b]", Everything(names=("a", "b"))),
        ("levels: {high: 1}", Everything(levels={Level.HIGH: 1.0})),
        ("sizes: {LARGE: 1}", Everything(sizes={Size.LARGE: 1})),
        ("rule: {name: x}", Everything(rule=Rule("x"))),
        ("named: {on: {name: x}}", Everything(named={"on": Rule("x")})),
        ("tree: {children: [{label: x}]}", Everything(tree=Tree(children=[Tree("x")]))),
        ('{"text": "\\ud83d\\ude00"}', Everything(text="\U0001f600")),
        ('\ufeff{"count": 5}', Everything(count=5)),
        ("{text: a}", Everything(text="a")),
        ('{\n\t"text": "a"\n}', Everything(text="a")),
    ],
)
def test_accepted(text: str, expected: Everything) -> None:
    parsed = parse_config(Everything, Document(text))
    assert parsed == expected
    assert repr(parsed) == repr(expected)  # 3 == 3.0 == Size(3), but they are not the same


def test_without_a_document() -> None:
    assert parse_config(Everything, None) == Everything()
    with pytest.raises(ConfigError) as refusal:
        parse_config(Required, None)
    assert str(refusal.value) == (
        "configuration: fields header, limit, rules have no default; give --config FILE or --config "
        '\'{"header": "text", "limit": 10, "rules": [{"name": "text"}]}\''
    )
    with pytest.raises(
        ConfigError, match=r"^configuration: this filter needs a text as its configuration; give "
    ):
        parse_config(str, None)


def test_raw_text_is_left_alone() -> None:
    assert parse_config(str, Document(" raw: [\n")) == " raw: [\n"


def test_a_secret_does_not_hide_in_the_cause() -> None:
    with pytest.raises(ConfigError) as hidden:
        parse_config(Vault, Document("token: bad-thing"))
    assert hidden.value.__cause__ is None
    with pytest.raises(ConfigError) as shown:
        parse_config(Fragile, Document("text: bug"))
    assert isinstance(shown.value.__cause__, KeyError)


def test_many_mistakes_are_counted() -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_config(Everything, Document(f"names: {list(range(1000))}"))
    assert len(refusal.value.problems) == 101
    assert refusal.value.problems[-1] == "and 900 more mistakes"
