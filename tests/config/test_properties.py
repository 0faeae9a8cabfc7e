"""Whatever is written gives an instance or a ConfigError; whatever an instance holds can be written."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Literal

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from meshext.config import Document, Plain, is_secret_name, parse_config, parse_document
from meshext.config.json_text import parse_json
from meshext.config.redaction import redact
from meshext.config.shapes import plain_value
from meshext.config.yaml_text import parse_yaml
from meshext.errors import ConfigError


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


@dataclass(frozen=True)
class Leaf:
    name: str
    weight: float = 1.0


@dataclass(frozen=True)
class Root:
    text: str = ""
    count: int = 0
    ratio: float = 0.0
    flag: bool = False
    mode: Literal["a", "b", 3, True] = "a"
    color: Color = Color.RED
    size: Size = Size.SMALL
    maybe: int | None = None
    either: bool | int | str = 0
    names: tuple[str, ...] = ()
    span: tuple[int, str] = (0, "")
    split: dict[str, int] = field(default_factory=dict)
    colors: dict[Color, list[float]] = field(default_factory=dict)
    leaf: Leaf | None = None
    leaves: list[Leaf] = field(default_factory=list)
    roots: dict[str, Root] = field(default_factory=dict)


@dataclass(frozen=True)
class Vault:
    token: int
    api_keys: dict[str, int] = field(default_factory=dict)


class Quoting(yaml.SafeDumper):
    """Writes block style with quoted strings and no aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent_text(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style='"')


Quoting.add_representer(str, Quoting.represent_text)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
whole = st.integers(-(2**63), 2**63 - 1)
number = st.floats(allow_nan=False, allow_infinity=False)
leaf = st.builds(Leaf, text, number)


def roots(below: st.SearchStrategy[dict[str, Root]]) -> st.SearchStrategy[Root]:
    return st.builds(
        Root,
        text,
        whole,
        number,
        st.booleans(),
        st.sampled_from(["a", "b", 3, True]),
        st.sampled_from(Color),
        st.sampled_from(Size),
        st.none() | whole,
        st.booleans() | whole | text,
        st.lists(text, max_size=3).map(tuple),
        st.tuples(whole, text),
        st.dictionaries(text, whole, max_size=3),
        st.dictionaries(st.sampled_from(Color), st.lists(number, max_size=2)),
        st.none() | leaf,
        st.lists(leaf, max_size=2),
        below,
    )


root = roots(st.just({})).flatmap(lambda one: roots(st.dictionaries(text, st.just(one), max_size=2)))

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
shaped = st.fixed_dictionaries({}, optional={item.name: plain for item in dataclasses.fields(Root)})


def check_problems(refusal: ConfigError) -> None:
    assert refusal.problems
    assert not any("\n" in problem or len(problem) > 500 for problem in refusal.problems)


@given(root)
def test_json_round_trip(instance: Root) -> None:
    parsed = parse_config(Root, Document(json.dumps(plain_value(instance))))
    assert parsed == instance
    assert repr(parsed) == repr(instance)


@given(root)
def test_yaml_round_trip(instance: Root) -> None:
    written = yaml.dump(json.loads(json.dumps(plain_value(instance))), Dumper=Quoting)
    assert parse_config(Root, Document(written, "c.yaml")) == instance


@given(plain | shaped)
def test_any_value_is_parsed_or_refused(value: Plain) -> None:
    for config_type in (Root, Leaf, Vault):
        try:
            parsed = parse_config(config_type, Document(json.dumps(value)))
        except ConfigError as refusal:
            check_problems(refusal)
        else:
            assert isinstance(parsed, config_type)


@pytest.mark.parametrize("without_libyaml", [False, True])
@given(written=st.text() | st.text("{}[],:-?!&*#'\"|>%@`\\ \n\taxu018.e<~\ud800\u2028\x85\ufeff"))
@example(written="%YAML 9.9\n---\na")
@example(written='"\\Uffffffff"')
@example(written='"\\ud800"')
@example(written="a: !<tag:x> b")
@example(written="? ? a")
@example(written="--- |\n a\n...\n...")
def test_any_text_is_parsed_or_refused(without_libyaml: bool, written: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if without_libyaml:
            patch.delattr(yaml, "CSafeLoader", raising=False)
        for source in ("c.yaml", "c.json", "--config"):
            try:
                json.dumps(parse_document(Document(written, source)))
            except ConfigError as refusal:
                check_problems(refusal)


@given(plain)
def test_yaml_reads_json_alike(value: Plain) -> None:
    written = json.dumps(value, ensure_ascii=False)
    assume(written.isprintable() and "nan" not in written.lower() and "inf" not in written.lower())
    as_yaml = parse_yaml(written, source="c.yaml")
    assert as_yaml == parse_json(written, source="c.json")
    assert repr(as_yaml) == repr(parse_json(written, source="c.json"))


@given(st.text("abcdefg", min_size=6, max_size=12).map(lambda word: f"zq{word}"), st.integers(0, 1))
def test_secrets_are_never_shown(secret: str, place: int) -> None:
    for value in (secret, [secret], {secret: secret}):
        document = {"token": value} if place else {"token": 1, "api_keys": {secret: value}}
        with pytest.raises(ConfigError) as refusal:
            parse_config(Vault, Document(json.dumps(document)))
        assert secret not in str(refusal.value)


@given(st.text(), st.lists(st.text(min_size=4), max_size=4))
def test_redact_leaves_no_secret(message: str, secrets: list[str]) -> None:
    secrets = [secret for secret in secrets if secret not in "<redacted>"]
    redacted = redact(message + "".join(secrets), secrets)
    assert not any(secret in redacted.replace("<redacted>", "\0") for secret in secrets if "\0" not in secret)


@given(st.text(max_size=300))
def test_secret_names_are_a_total_function(name: str) -> None:
    assert is_secret_name(f"{name}_token")
    assert isinstance(is_secret_name(name), bool)
