"""Reading files and inline text, and what a document may not contain."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from meshext.config import MAX_BYTES, MAX_DEPTH, Document, parse_document, read_config
from meshext.errors import ConfigError

DEEP = "lists and mappings are nested more than 64 deep; flatten the configuration"

ROWS: list[tuple[str, str, str]] = [
    ("c.yaml", "a: 1\nb: 2\na: 2", "line 3: key 'a' was already given on line 1; keep one of them"),
    (
        "c.json",
        '{"a": 1,\n "b": {"a": 1},\n "\\u0061": 2}',
        "line 3: key 'a' was already given on line 1; keep one of them",
    ),
    ("c.yaml", "a:\n  1: 2", 'line 2: key 1 is not a string; put it in quotes: "1"'),
    ("c.yaml", "1.10: 2", 'line 1: key 1.10 is not a string; put it in quotes: "1.10"'),
    ("c.yaml", "true: 2", 'line 1: key true is not a string; put it in quotes: "true"'),
    ("c.yaml", "?\n: 2", 'line 1: key (nothing) is not a string; put it in quotes: ""'),
    ("c.yaml", "? [a]\n: 1", "line 1: a key is neither a list, a mapping nor an alias; write a string"),
    ("c.yaml", "<<: {a: 1}", "line 1: merge key << is not supported; write the keys out"),
    ("c.yaml", "a: &x 1\nb: *x", "line 2: alias *x is not supported; write the value out"),
    ("c.yaml", "a: !!str 5", "line 1: tag !!str is not supported; leave it out, or quote the text"),
    (
        "c.yaml",
        "a: !!python/name:os.system x",
        "line 1: tag !!python/name:os.system is not supported; leave it out, or quote the text",
    ),
    ("c.yaml", "a: 1\n---\nb: 2", "line 2: a second document begins here; a configuration is one document"),
    ("c.yaml", "a: \x01", "line 1, column 4: not YAML: character '\\x01' is not allowed in text"),
    ("c.json", "{'a': 1}", "line 1, column 2: not JSON: expecting property name enclosed in double quotes"),
    ("c.json", "a: 1", "line 1, column 1: not JSON: expecting value"),
    ("c.json", '{"a": NaN}', "not JSON: NaN is not a number; write null, or leave the key out"),
    ("--config", '{"a": 1', "line 1, column 8: not JSON: expecting ',' delimiter"),
    (
        "--config",
        '"\\ud800"',
        "half of a surrogate pair (\\ud800 to \\udfff) is no character; write the character",
    ),
    ("c.yaml", "a\n\udcff", "line 2: is not UTF-8; save it as UTF-8"),
    ("c.yaml", f"a: *{'x' * 99}", f"line 1: alias *{'x' * 57}... is not supported; write the value out"),
    ("c.yaml", "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), DEEP),
    ("c.yaml", "a: " + "[" * 500_000, f"line 1: {DEEP}"),
    ("c.yaml", "- " * 500_000, f"line 1: {DEEP}"),
    ("--config", "[" * 500_000, DEEP),
    ("c.json", '{"a":' * 100_000 + "1" + "}" * 100_000, DEEP),
    ("c.yaml", "x" * (MAX_BYTES + 1), "is 4194305 bytes long; a configuration has at most 4194304 bytes"),
]


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def either_loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML with libyaml and without: wheels have it, other builds may not."""
    if request.param == "SafeLoader":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("PyYAML is built without libyaml; install its wheel")


@pytest.mark.usefixtures("either_loader")
@pytest.mark.parametrize(("source", "text", "problem"), ROWS, ids=[repr(row[1][:30]) for row in ROWS])
def test_refused(source: str, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_document(Document(text, source))
    assert refusal.value.problems == (problem,)
    assert refusal.value.source == source


@pytest.mark.usefixtures("either_loader")
@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("a: b: c", "line 1, column 5: not YAML: "),
        ("\ta: 1", "line 1, column 1: not YAML: "),
        ("a: [1", "line "),
        ('a: "\\Uffffffff"', ""),
    ],
)
def test_yaml_mistakes_are_one_line_with_a_place(text: str, begin: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_document(Document(text, "c.yaml"))
    (problem,) = refusal.value.problems
    assert problem.startswith(begin)
    assert "\n" not in problem
    assert "not YAML: " in problem
    assert ("indent with spaces" in problem) == ("\t" in text)


def test_every_mistake_of_a_document_is_told() -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_document(Document("a: *x\n1: 2\n'1': 3\nb: !t 4"))
    assert [problem.partition(":")[0] for problem in refusal.value.problems] == [
        "line 1",
        "line 2",
        "line 3",
        "line 4",
    ]


@pytest.mark.usefixtures("either_loader")
def test_plain_scalars_follow_yaml_1_2() -> None:
    meanings: dict[str, object] = {
        **{text: text for text in ("no", "on", "y", "12:30", "2024-05-01", "1_000", "0755", "-00", "=")},
        "1e3": 1000.0,
        ".5": 0.5,
        "-7": -7,
        "+5": 5,
        "0": 0,
        "0x1F": 31,
        "0o17": 15,
        "'5'": "5",
        "TRUE": True,
        "false": False,
        "Null": None,
        "~": None,
    }
    text = "".join(f"- {scalar}\n" for scalar in meanings)
    assert parse_document(Document(text, "c.yaml")) == list(meanings.values())


def test_the_allowed_depth_and_size() -> None:
    parse_document(Document("[" * MAX_DEPTH + "]" * MAX_DEPTH, "c.yaml"))
    parse_document(Document("[" * MAX_DEPTH + "]" * MAX_DEPTH, "c.json"))
    assert parse_document(Document("x" * MAX_BYTES)) == "x" * MAX_BYTES


def test_read_config_takes_inline_json_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\n")
    assert read_config(str(file)) == Document("a: 1\r\n", str(file))
    for inline in ('{"a": 1}', " [1]", '"x"'):
        assert read_config(inline) == Document(inline, "--config")


def test_read_config_refuses_what_it_can_not_read(tmp_path: Path) -> None:
    binary, large = tmp_path / "binary", tmp_path / "large"
    binary.write_bytes(b"a: 1\nb: \xff")
    large.write_bytes(b" " * (MAX_BYTES + 1))
    for argument, text in (
        ("", "--config: is empty; give a file's name or JSON such as '{}'"),
        (f"{tmp_path}/no", f"{tmp_path}/no: no such file"),
        ("a: 1", "a: 1: no such file; text given inline must be JSON, for example '{\"name\": 1}'"),
        ("a\0b", "'a\\x00b': can not be read: embedded null byte"),
        (str(tmp_path), f"{tmp_path}: can not be read: Is a directory"),
        (str(binary), f"{binary}: line 2: is not UTF-8; save it as UTF-8"),
        (str(large), f"{large}: has more than 4194304 bytes, the most a configuration has"),
    ):
        with pytest.raises(ConfigError) as refusal:
            read_config(argument)
        assert str(refusal.value) == text
