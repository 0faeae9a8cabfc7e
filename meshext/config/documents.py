"""From what `--config` was given to plain data, refusing whatever two readers could read differently.

YAML is read by the core schema of YAML 1.2.2 (section 10.3): `no`, `on`, `12:30` and `2024-05-01` are text.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TypeAlias

from meshext.errors import ConfigError
from meshext.sources import LOADED

MAX_BYTES = (
    4_194_304  # room for ten thousand rules; it travels inside Envoy's configuration, which takes as much
)
MAX_DEPTH = 64  # lists and mappings inside each other; keeps every recursive reader off the stack's end
INLINE_SOURCE = "--config"

_SHOWN = 60  # characters of a name
_LONGEST_INT = 100  # digits; CPython refuses more than 4300, and no field takes more than 64 bits

Plain: TypeAlias = "str | int | float | bool | None | list[Plain] | dict[str, Plain]"
"""What a document consists of, whatever it was written in."""


class WrittenFloat(float):
    """A float that still shows as it was written, so that a message can say `put it in quotes: "1.10"`."""

    __slots__ = ("text",)

    text: str

    @classmethod
    def of(cls, text: str) -> WrittenFloat:
        """The number of a JSON literal, or of `.inf` and `.nan` as YAML writes them."""
        number = cls(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        number.text = text
        return number

    def __repr__(self) -> str:
        return self.text


def parse_integer(text: str) -> int | WrittenFloat:
    """A whole number; one of absurd length becomes a float, which every field refuses."""
    return int(text) if len(text) <= _LONGEST_INT else WrittenFloat.of(text)


@dataclass(frozen=True, slots=True)
class Document:
    """A configuration as text, and where it came from (a file's name, or `--config` when given inline)."""

    text: str
    source: str = INLINE_SOURCE


def read_config(argument: str) -> Document:
    """What `--config` was given: JSON itself (it begins with `{`, `[` or `"`) or a file of YAML or JSON.

    ConfigError when the file can not be read, is too large, or is not UTF-8.
    """
    if looks_like_json(argument):
        return Document(argument)
    if not argument.strip():
        raise ConfigError(["is empty; give a file's name or JSON such as '{}'"], source=INLINE_SOURCE)
    LOADED.note(os.path.abspath(argument), b"")  # so that one that can not be read yet is watched too
    content = _read_file(argument)
    LOADED.note(os.path.abspath(argument), content)
    return Document(decode_text(content, argument), argument)


def looks_like_json(text: str) -> bool:
    """Whether the text begins as JSON; no path that a person means begins like this."""
    return text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[", '"')


def parse_document(document: Document) -> Plain:
    """The document as plain data; None when it is empty. ConfigError names the line of each mistake.

    JSON by RFC 8259. Refused: a key given twice or not a string, aliases, merge keys and tags of YAML,
    more than one YAML document, more than 4 MiB, more than 64 levels, half a surrogate pair.
    """
    text = check_text(document).removeprefix("\ufeff")
    value = _parse(text, document.source)
    problems: list[str] = []
    _check_tree(value, 1, problems)
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)), source=document.source)
    return value


def parse_documents(document: Document) -> list[Plain]:
    """Every YAML document of a stream (`---` between them), each as `parse_document` gives one.

    A JSON text is one document. Empty documents are left out.
    """
    text = check_text(document).removeprefix("\ufeff")
    values = _parse_all(text, document.source)
    problems: list[str] = []
    for value in values:
        _check_tree(value, 1, problems)
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)), source=document.source)
    return [value for value in values if value is not None]


def check_text(document: Document) -> str:
    """The document's text; ConfigError when it is too large or holds what is not Unicode text."""
    try:
        size = len(document.text.encode())
    except UnicodeEncodeError as error:
        line = document.text.count("\n", 0, error.start) + 1
        raise ConfigError([f"line {line}: is not UTF-8; save it as UTF-8"], source=document.source) from None
    if size > MAX_BYTES:
        raise ConfigError(
            [f"is {size} bytes long; a configuration has at most {MAX_BYTES} bytes"], source=document.source
        )
    return document.text


def shortened(name: str) -> str:
    """A name from a document, short enough for one line of an error."""
    return name if len(name) <= _SHOWN else f"{name[: _SHOWN - 3]}..."


def depth_problem() -> str:
    """The words for a document that is nested too deep."""
    return f"lists and mappings are nested more than {MAX_DEPTH} deep; flatten the configuration"


def _read_file(name: str) -> bytes:
    try:
        with open(name, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        hint = "; text given inline must be JSON, for example '{\"name\": 1}'" if ": " in name else ""
        raise ConfigError([f"no such file{hint}"], source=_one_line(name)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError([f"can not be read: {reason}"], source=_one_line(name)) from None
    if len(content) > MAX_BYTES:
        raise ConfigError([f"has more than {MAX_BYTES} bytes, the most a configuration has"], source=name)
    return content


def _one_line(name: str) -> str:
    return name if name.isprintable() and len(name) < 200 else repr(name[:200])


def decode_text(content: bytes, source: str) -> str:
    """The text of a file's bytes, a mark of byte order taken off; ConfigError where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"line {line}: is not UTF-8; save it as UTF-8"], source=source) from None


def _parse(text: str, source: str) -> Plain:
    from meshext.config import json_text

    json_only = source.endswith(".json")
    if not (json_only or looks_like_json(text)):
        return _parse_yaml(text, source)
    try:
        return json_text.parse_json(text, source=source)
    except json_text.NotJson as refusal:
        if not json_only:
            try:
                return _parse_yaml(text, source)
            except ConfigError:
                if source != INLINE_SOURCE:
                    raise
        raise ConfigError([str(refusal)], source=source) from None


def _parse_all(text: str, source: str) -> list[Plain]:
    from meshext.config.yaml_text import parse_yaml_stream

    if source.endswith(".json") or (looks_like_json(text) and "\n---" not in text):
        return [_parse(text, source)]
    return parse_yaml_stream(text, source=source)


def _parse_yaml(text: str, source: str) -> Plain:
    from meshext.config.yaml_text import parse_yaml

    return parse_yaml(text, source=source)


def _check_tree(value: Plain, depth: int, problems: list[str]) -> None:
    if depth > MAX_DEPTH:
        problems[:] = [depth_problem()]
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_tree(key, depth, problems)
            _check_tree(item, depth + 1 if isinstance(item, dict | list) else depth, problems)
    elif isinstance(value, list):
        for item in value:
            _check_tree(item, depth + 1 if isinstance(item, dict | list) else depth, problems)
    elif isinstance(value, str) and not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        problems.append("half of a surrogate pair (\\ud800 to \\udfff) is no character; write the character")


def is_finite(value: float) -> bool:
    """Whether a number is one that JSON can write (RFC 8259 section 6)."""
    return math.isfinite(value)
