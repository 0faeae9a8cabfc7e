"""YAML to plain data, built from parser events so that depth, aliases and keys are checked as they come.

Scalars follow the core schema of YAML 1.2.2 (section 10.3), not the YAML 1.1 of PyYAML's own loaders:
https://yaml.org/spec/1.2.2/#103-core-schema. A number with a leading zero (octal in 1.1, decimal in 1.2)
stays a string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from meshext.config.documents import MAX_DEPTH, Plain, WrittenFloat, depth_problem, parse_integer, shortened
from meshext.config.json_text import MAX_DUPLICATES, duplicate_problem
from meshext.config.redaction import REDACTED, is_secret_name
from meshext.errors import ConfigError

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_BASED = re.compile(r"0x[0-9a-fA-F]{1,32}|0o[0-7]{1,32}")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse_yaml(text: str, *, source: str) -> Plain:
    """Plain data of a YAML text, None when it is empty; ConfigError lists what is refused, with lines."""
    return _build(text, source, single=True)[0]


def parse_yaml_stream(text: str, *, source: str) -> list[Plain]:
    """Plain data of every document of a YAML stream, None for an empty one; ConfigError as `parse_yaml`."""
    return _build(text, source, single=False)


def _build(text: str, source: str, *, single: bool) -> list[Plain]:
    try:
        builder = _Builder(text)
        values = [builder.document()] if single else builder.stream()
    except _TooDeep as found:
        raise ConfigError([f"line {found}: {depth_problem()}"], source=source) from None
    except (
        yaml.YAMLError,
        ValueError,
        OverflowError,
    ) as error:  # the last two: "\\Uffffffff" without libyaml
        raise ConfigError([_invalid(error, text)], source=source) from None
    if builder.problems:
        raise ConfigError(builder.problems, source=source)
    return values


def resolve_plain(text: str) -> str | int | float | bool | None:
    """What a plain (unquoted) scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    if _DECIMAL.fullmatch(text):
        return parse_integer(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return WrittenFloat.of(text)
    return text


class _TooDeep(Exception):
    pass


class _Builder:
    """Reads one document from parser events; what is refused but can be read past goes to `problems`."""

    def __init__(self, text: str) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[Any] = yaml.parse(text, Loader=loader)
        self.problems: list[str] = []

    def document(self) -> Plain:
        value: Plain = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(event, "a second document begins here; a configuration is one document")
                    break
                value = self._node(next(self._events), depth=1, secret=False)
        return value

    def stream(self) -> list[Plain]:
        return [
            self._node(next(self._events), depth=1, secret=False)
            for event in self._events
            if isinstance(event, yaml.DocumentStartEvent)
        ]

    def _node(self, event: Any, *, depth: int, secret: bool) -> Plain:
        if depth > MAX_DEPTH:
            raise _TooDeep(event.start_mark.line + 1)
        if isinstance(event, yaml.AliasEvent):
            self._refuse(
                event, f"alias *{shortened(event.anchor or '')} is not supported; write the value out"
            )
            return None
        if event.tag not in (None, "!"):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(event, f"tag {shortened(tag)} is not supported; leave it out, or quote the text")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(depth=depth, secret=secret)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(depth=depth, secret=secret)
        value: str = event.value
        return resolve_plain(value) if event.implicit[0] else value

    def _sequence(self, *, depth: int, secret: bool) -> list[Plain]:
        items: list[Plain] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, depth=_below(event, depth), secret=secret))
        return items

    def _mapping(self, *, depth: int, secret: bool) -> dict[str, Plain]:
        items: dict[str, Plain] = {}
        lines: dict[str, int] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, depth=depth, secret=secret)
            line = event.start_mark.line + 1
            if key in items and len(self.problems) < MAX_DUPLICATES:
                first = lines[key]
                self.problems.append(duplicate_problem(key, first=first, again=line, secret=secret))
            following = next(self._events)
            below = secret or is_secret_name(key)
            items[key] = self._node(following, depth=_below(following, depth), secret=below)
            lines.setdefault(key, line)
        return items

    def _key(self, event: Any, *, depth: int, secret: bool) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse(event, "a key is neither a list, a mapping nor an alias; write a string")
            self._node(event, depth=_below(event, depth), secret=secret)
            return ""
        text: str = event.value
        value = self._node(event, depth=depth, secret=secret)
        if value == "<<" and event.implicit[0]:
            self._refuse(event, "merge key << is not supported; write the keys out")
        elif not isinstance(value, str):
            shown = REDACTED if secret else shortened(text) or "(nothing)"
            quoted = "" if secret else f": {json.dumps(shortened(text))}"
            self._refuse(event, f"key {shown} is not a string; put it in quotes{quoted}")
        return text

    def _refuse(self, event: Any, problem: str) -> None:
        if len(self.problems) < MAX_DUPLICATES:
            self.problems.append(f"line {event.start_mark.line + 1}: {problem}")


def _below(event: Any, depth: int) -> int:
    return depth + 1 if isinstance(event, yaml.CollectionStartEvent) else depth


def _is_tab(text: str, line: int, column: int) -> bool:
    return dict(enumerate(text.splitlines())).get(line, "")[column : column + 1] == "\t"


def _invalid(error: Exception, text: str) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        reason = ": ".join(part for part in (error.context, error.problem) if part)
        hint = "; indent with spaces" if _is_tab(text, mark.line, mark.column) else ""
        return f"line {mark.line + 1}, column {mark.column + 1}: not YAML: {' '.join(reason.split())}{hint}"
    found = _UNPRINTABLE.search(text)
    if found is None:
        return f"not YAML: {' '.join(str(error).split())}"
    line = text.count("\n", 0, found.start()) + 1
    column = found.start() - text.rfind("\n", 0, found.start())
    return f"line {line}, column {column}: not YAML: character {found.group()!r} is not allowed in text"
