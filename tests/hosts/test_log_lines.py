"""Log lines: what they say, and that nobody writes one who should not."""

from __future__ import annotations

import json
import logging
from contextvars import copy_context
from types import TracebackType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.engine.current import CURRENT, TRACE, Current
from meshext.hosts.log_lines import JsonFormatter, LineFormatter

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def record(message: str, exc_info: ExcInfo | None = None) -> logging.LogRecord:
    made = logging.LogRecord("some.logger", logging.ERROR, "file", 1, message, None, exc_info)
    made.created = 1_795_412_000.1239
    return made


def caught(text: str) -> ExcInfo:
    try:
        raise ValueError(text)
    except ValueError as error:
        return ValueError, error, error.__traceback__


def within(current: Current, trace: str, made: logging.LogRecord) -> dict[str, Any]:
    """The JSON line of a record that is logged in that hook."""

    def line() -> str:
        CURRENT.set(current)
        TRACE.set(trace)
        return JsonFormatter().format(made)

    said = copy_context().run(line)
    assert said.isascii()
    assert said.isprintable()
    parsed: dict[str, Any] = json.loads(said)
    return parsed


def test_a_line_has_only_what_there_is() -> None:
    assert within(Current(), "", record("hello")) == {
        "time": "2026-11-23T05:33:20.123Z",
        "level": "error",
        "logger": "some.logger",
        "message": "hello",
    }


def test_a_hooks_line_names_request_filter_hook_and_trace() -> None:
    line = within(Current("some-id", "guard", "on_request"), "ab" * 16, record("x", caught("no")))
    assert line["request_id"] == "some-id"
    assert (line["filter"], line["hook"], line["trace_id"]) == ("guard", "on_request", "ab" * 16)
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: no")


@pytest.mark.parametrize("text", ["a\nb", "\x1b[2J", "\u2028", '"}\n{"level": "info"', "\udcff", "\u202e"])
def test_nobody_forges_a_line(text: str) -> None:
    line = within(Current(text, text, text), "", record(text, caught(text)))
    assert line["message"] == text.replace("\udcff", "\ufffd")
    shown = LineFormatter().format(record(text))
    assert shown.isprintable()


@given(st.text())
def test_any_text_is_one_line_that_utf8_can_carry(text: str) -> None:
    line = within(Current(), "", record(text.replace("%", "%%")))
    assert line["level"] == "error"
    line["message"].encode()


def test_a_message_with_arguments() -> None:
    made = logging.LogRecord("a", logging.INFO, "f", 1, "%s of %d", ("x", 3), None)
    assert within(Current(), "", made)["message"] == "x of 3"
