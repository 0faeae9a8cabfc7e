"""JSON (RFC 8259) to plain data, refusing what `json` would let pass: NaN, and a key given twice."""

from __future__ import annotations

import json
import re
from typing import NoReturn, cast

from meshext.config.documents import Plain, WrittenFloat, depth_problem, parse_integer, shortened
from meshext.config.redaction import REDACTED, is_secret_name
from meshext.errors import ConfigError

MAX_DUPLICATES = 100

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:]')


class NotJson(Exception):
    """The text is not JSON at all; its text is one line with the place. It may still be YAML."""


def parse_json(text: str, *, source: str) -> Plain:
    """Plain data of a JSON text. NotJson on a syntax error, ConfigError on a key given twice."""
    repeated = False

    def collect(pairs: list[tuple[str, Plain]]) -> dict[str, Plain]:
        nonlocal repeated
        collected = dict(pairs)
        repeated = repeated or len(collected) < len(pairs)
        return collected

    try:
        value = json.loads(
            text,
            object_pairs_hook=collect,
            parse_float=WrittenFloat.of,
            parse_int=parse_integer,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        reason = error.msg[:1].lower() + error.msg[1:]
        raise NotJson(f"line {error.lineno}, column {error.colno}: not JSON: {reason}") from None
    except RecursionError:
        raise ConfigError([depth_problem()], source=source) from None
    if repeated:
        raise ConfigError(_repeated_keys(text), source=source)
    return cast("Plain", value)


def _refuse_constant(name: str) -> NoReturn:
    raise NotJson(f"not JSON: {name} is not a number; write null, or leave the key out")


def duplicate_problem(key: str, *, first: int, again: int, secret: bool) -> str:
    """The words for a key that one mapping has twice; `first` and `again` are lines."""
    shown = REDACTED if secret else repr(shortened(key))
    return f"line {again}: key {shown} was already given on line {first}; keep one of them"


def _repeated_keys(text: str) -> list[str]:
    """A second look at a text that is known to be JSON, since `json` does not tell where a key stood."""
    problems: list[str] = []
    levels: list[tuple[dict[str, int], bool]] = []
    key, start = "", 0
    for token in _TOKEN.finditer(text):
        match token.group():
            case "{" | "[":
                levels.append(({}, bool(levels) and (levels[-1][1] or is_secret_name(key))))
            case "}" | "]":
                levels.pop()
            case ":":
                seen, secret = levels[-1]
                if key in seen and len(problems) < MAX_DUPLICATES:
                    first, again = (text.count("\n", 0, at) + 1 for at in (seen[key], start))
                    problems.append(duplicate_problem(key, first=first, again=again, secret=secret))
                seen.setdefault(key, start)
            case string:
                key, start = json.loads(string), token.start()
    return problems
