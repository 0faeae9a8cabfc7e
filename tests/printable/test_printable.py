from __future__ import annotations

import logging
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.engine.current import CURRENT, Current
from meshext.hosts.log_lines import LineFormatter
from meshext.printable import format_log, printable

CLOCK = time.strftime("%H:%M:%S", time.localtime(1795400930))


@given(st.text())
def test_it_is_one_printable_line(text: str) -> None:
    assert printable(text).isprintable()
    assert len(printable(text).splitlines()) <= 1
    assert printable(printable(text)) == printable(text)


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_what_is_printable_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n\r\tb", "a\\n\\r\\tb"),
        ("\x1b[2J\x9b", "\\x1b[2J\\x9b"),
        ("\u202e\u2028\udc80", "\\u202e\\u2028\\udc80"),
        ("\U000e0001", "\\U000e0001"),
        ("grün 🙂", "grün 🙂"),
    ],
)
def test_what_is_not_is_named(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_line_of_a_log() -> None:
    assert format_log(1795400930.9996, "info", "hello", "a\nb") == (
        time.strftime("%H:%M:%S", time.localtime(1795400931)) + ".000 info    hello a\\nb"
    )
    assert format_log(1795400930.25, "warning", "a\r", "text", request_id="7\x1b") == (
        f"{CLOCK}.250 warning a\\r [7\\x1b] text"
    )


def record(message: str) -> logging.LogRecord:
    try:
        raise ValueError("of\x1b[2Ja client")
    except ValueError:
        made = logging.LogRecord("meshext", logging.ERROR, __file__, 1, message, (), sys.exc_info())
    made.created = 1795400930.5
    return made


def test_the_log_of_a_service_looks_the_same() -> None:
    token = CURRENT.set(Current("42", "hello", "on_request"))
    try:
        first, *trace = LineFormatter().format(record("it\nfailed")).split("\n")
    finally:
        CURRENT.reset(token)
    assert first == f"{CLOCK}.500 error   hello [42] it\\nfailed"
    assert trace[0] == "    | Traceback (most recent call last):"
    assert trace[-1] == "    | ValueError: of\\x1b[2Ja client"
    assert LineFormatter().format(record("no request")).startswith(f"{CLOCK}.500 error   meshext no request")
