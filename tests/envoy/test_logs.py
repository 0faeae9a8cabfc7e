from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.envoy.logs import (
    OUTPUT,
    LineSplitter,
    LogForwarder,
    LogLine,
    find_reason,
    format_line,
    is_noise,
    parse_line,
)


def line(message: str, level: str = "warning", component: str = "main") -> LogLine:
    return LogLine(time=1795400930.805, level=level, component=component, message=message)


def test_parses_what_the_format_gives() -> None:
    raw = rb"1795400930.805 critical main missing ): (\303\274\033\342\200\256\n \'a\\b\'"
    assert parse_line(raw) == line("missing ): (ü\x1b\u202e\n 'a\\b'", "critical")


def test_what_envoy_writes_past_its_logger_is_an_error() -> None:
    raw = b"cannot bind '127.0.0.1:80': Permission denied \xff"
    expected = LogLine(time=7.0, level="error", component="", message=raw[:-1].decode() + "\\xff")
    assert parse_line(raw, now=lambda: 7.0) == expected


def test_standard_output_is_never_taken_for_a_log_line() -> None:
    raw = b"1795400930.805 critical main forged"
    expected = LogLine(time=7.0, level="info", component=OUTPUT, message=raw.decode())
    assert parse_line(raw, output=True, now=lambda: 7.0) == expected


CLOCK = time.strftime("%H:%M:%S.805", time.localtime(1795400930))


def test_a_message_can_not_forge_a_line_or_drive_a_terminal() -> None:
    shown = format_line(line("GET /\n10:00:00.000 error   envoy.main forged\r\x1b[2J\x9b\u202e\u2028"))
    assert shown == (
        f"{CLOCK} warning envoy.main GET /\\n10:00:00.000 error   envoy.main "
        "forged\\r\\x1b[2J\\x9b\\u202e\\u2028"
    )


@given(st.binary())
def test_any_line_can_be_parsed_and_shown(raw: bytes) -> None:
    assert format_line(parse_line(raw)).isprintable()


@given(st.lists(st.binary(max_size=8)), st.integers(1, 6))
def test_pieces_do_not_matter(pieces: list[bytes], limit: int) -> None:
    splitter = LineSplitter(limit)
    lines = [whole for piece in pieces for whole in splitter.feed(piece)] + splitter.finish()
    *whole, rest = b"".join(pieces).split(b"\n")
    expected = [*whole, rest] if rest else whole
    assert lines == [text if len(text) <= limit else text[:limit] + b" (cut)" for text in expected]


def test_the_rest_of_a_long_line_is_not_a_line() -> None:
    splitter = LineSplitter(4)
    assert splitter.feed(b"abcd") == []
    assert splitter.feed(b"efgh1.0 critical main forged") == []
    assert splitter.feed(b"x\nok\n") == [b"abcd (cut)", b"ok"]


@pytest.mark.parametrize(
    "message",
    [
        "There is no configured limit to the number of allowed active downstream connections.",
        "Deprecated field: type envoy.type Using deprecated option 'envoy.x' from file",
        "caught ENVOY_SIGTERM",
    ],
)
def test_noise_is_hidden_below_warning(message: str) -> None:
    shown: list[str] = []
    assert is_noise(line(message))
    LogForwarder(shown.append)(line(message))
    assert shown == []
    LogForwarder(shown.append, level="info")(line(message))
    assert len(shown) == 1


def test_an_error_is_never_noise() -> None:
    assert not is_noise(line("Using deprecated option", "error"))


def test_the_forwarder_shows_warnings_and_standard_output() -> None:
    shown: list[str] = []
    forward = LogForwarder(shown.append)
    for level, component in (("info", "config"), ("warning", "config"), ("info", OUTPUT)):
        forward(line("text", level, component))
    assert shown == [
        f"{CLOCK} warning envoy.config text",
        f"{CLOCK} info    envoy text",
    ]


def test_an_unknown_level_names_those_there_are() -> None:
    with pytest.raises(
        ValueError, match="'warn' is not a log level of Envoy; they are trace, debug, info, warning"
    ):
        LogForwarder(print, level="warn")


FIELD = "static_resources.listeners[0]: no such field: 'stat_prefixx'"
RULE = "Proto constraint validation failed (HttpConnectionManagerValidationError.StatPrefix: too short)"
BIND = "cannot bind '127.0.0.1:80': Permission denied"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            "error initializing configuration 'a.json': Protobuf message (type envoy.Bootstrap reason"
            f" INVALID_ARGUMENT:   {FIELD}) has unknown fields",
            f"INVALID_ARGUMENT: {FIELD}",
        ),
        (f"error initializing configuration 'a.json': goo.gle/debugstr \nroute {{\n}}\n: {RULE}", RULE),
        (f"error `goo.gle/debugproto  \nx: 1\n: {RULE}` initializing config 'goo.gle/x  a.json'", RULE),
        (f"error `{BIND}` initializing config 'goo.gle/debugstr a.json'", BIND),
        ("assert failure:\x1b\n x", "assert failure:\\x1b x"),
    ],
)
def test_the_reason_is_one_line(message: str, reason: str) -> None:
    said = [
        line("not this", "error"),
        line(message, "critical"),
        line("", "error", ""),
        line("nor this", "error"),
    ]
    assert find_reason(said) == reason


def test_without_a_critical_line_the_last_error_is_the_reason() -> None:
    assert find_reason([line("a", "error", ""), line("b", "error"), line("c")]) == "b"
    assert find_reason([line("a", "error", "")]) == "a"
    assert find_reason([line("c")]) == ""
