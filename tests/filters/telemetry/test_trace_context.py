"""traceparent and tracestate against the W3C recommendation: its own tests' cases, and a slow reading of
it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_filters.telemetry.trace_context import TraceContext, is_tracestate, parse_traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        (GOOD, 1),
        (f" \t{GOOD} ", 1),
        (f"00-{TRACE}-{SPAN}-00", 0),
        (f"00-{TRACE}-{SPAN}-ff", 3),
        (f"00-{TRACE}-{SPAN}-fc", 0),
        (f"cc-{TRACE}-{SPAN}-01", 1),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", 1),
        (f"01-{TRACE}-{SPAN}-01-", 1),
    ],
)
def test_what_is_valid(line: str, flags: int) -> None:
    assert parse_traceparent([line]) == TraceContext(TRACE, SPAN, flags)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [""],
        [GOOD, GOOD],
        [GOOD.upper()],
        [f"ff-{TRACE}-{SPAN}-01"],
        [f"00-{TRACE}-{SPAN}-01-"],
        [f"00-{TRACE}-{SPAN}-01-what-the-future-will-not-be-like"],
        [f"00-{TRACE}-{SPAN}-01.what-the-future-will-not-be-like"],
        [f"cc-{TRACE}-{SPAN}-01.what-the-future-will-not-be-like"],
        [f"0-{TRACE}-{SPAN}-01"],
        [f"000-{TRACE}-{SPAN}-01"],
        [f".0-{TRACE}-{SPAN}-01"],
        [f"00-{'0' * 32}-{SPAN}-01"],
        [f"00-.{TRACE[1:]}-{SPAN}-01"],
        [f"00-{TRACE[1:]}-{SPAN}-01"],
        [f"00-{TRACE}1-{SPAN}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"00-{TRACE}-{SPAN[1:]}-01"],
        [f"00-{TRACE}-.{SPAN[1:]}-01"],
        [f"00-{TRACE}-{SPAN}-.0"],
        [f"00-{TRACE}-{SPAN}-1"],
        [f"00-{TRACE}-{SPAN}-001"],
        [f"00{TRACE}{SPAN}01-----"],
        [f"{GOOD}\n"],
        [GOOD.replace("4", "\uff14")],
    ],
)
def test_what_is_not(lines: list[str]) -> None:
    assert parse_traceparent(lines) is None


SLOW = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?",
    re.DOTALL,
)


def slow_parse(line: str) -> TraceContext | None:
    """Section 3.2 as one expression, with what the parser of ours never uses."""
    found = SLOW.fullmatch(line.strip(" \t"))
    if found is None or (found["version"] == "00" and found["rest"] is not None):
        return None
    return TraceContext(found["trace"], found["span"], int(found["flags"], 16) & 3)


digits = st.sampled_from("0123456789abcdefABF -.0000")
part = st.text(digits, max_size=3)


@st.composite
def nearly(draw: st.DrawFn) -> str:
    """A traceparent that is valid, or off by a little."""
    hexes = "0123456789abcdef"
    parts = [
        draw(st.sampled_from(["00", "00", "01", "cc", "ff", "0", "0G"])),
        draw(st.sampled_from([TRACE, "0" * 32, TRACE[:31]]) | st.text(hexes, min_size=31, max_size=33)),
        draw(st.sampled_from([SPAN, "0" * 16]) | st.text(hexes, min_size=15, max_size=17)),
        draw(st.sampled_from(["00", "01", "02", "ff", "1"])),
    ]
    text = "-".join(parts) + draw(st.sampled_from(["", "", "-", "-x", ".x"]))
    at, change = draw(st.integers(0, len(text))), draw(st.just("") | part)
    return text[:at] + change + text[at + len(change) :]


@given(nearly())
def test_the_parser_reads_what_the_recommendation_says(line: str) -> None:
    assert parse_traceparent([line]) == slow_parse(line)


@given(st.text("0123456789abcdef", min_size=32, max_size=32), st.integers(0, 3))
def test_what_is_written_is_read_again(trace: str, flags: int) -> None:
    context = TraceContext(trace, SPAN, flags)
    read = parse_traceparent([context.to_traceparent()])
    assert read == (context if set(trace) != {"0"} else None)


@pytest.mark.parametrize(
    "lines",
    [
        [""],
        ["foo=1"],
        ["foo=1,bar=2", "baz=3"],
        ["foo=1 \t , \t bar=2, \t baz=3"],
        ["foo=1,"],
        [",", "foo=1"],
        ["foo=1,foo=2"],
        ["foo= value with spaces"],
        [f"{'z' * 256}=1"],
        [f"t{'a' * 240}@v{'b' * 13}=1"],
        [f"foo={'v' * 256}"],
        [",".join(f"bar{number}=1" for number in range(32))],
        ["foo@bar=1", "1a@b=2", "a-_*/b=3"],
    ],
)
def test_a_tracestate_that_goes_on(lines: list[str]) -> None:
    assert is_tracestate(lines)


@pytest.mark.parametrize(
    "lines",
    [
        ["foo"],
        ["foo="],
        ["=1"],
        ["foo =1"],
        ["FOO=1"],
        ["foo.bar=1"],
        ["1a=2"],
        ["foo@=1,bar=2"],
        ["@foo=1"],
        ["foo@@bar=1"],
        ["foo@bar@baz=1"],
        ["foo=bar=baz"],
        ["foo=\x7f"],
        ["foo=\u00e4"],
        [f"{'z' * 257}=1"],
        [f"t{'a' * 241}@v=1"],
        [f"t@v{'b' * 14}=1"],
        [f"foo={'v' * 257}"],
        [",".join(f"bar{number}=1" for number in range(33))],
    ],
)
def test_a_tracestate_that_is_dropped(lines: list[str]) -> None:
    assert not is_tracestate(lines)


MEMBER = re.compile(
    r"([a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


@given(st.lists(st.text("a1@=, \tB*~\x1f", max_size=12), max_size=4))
def test_tracestate_is_read_as_its_grammar_says(lines: list[str]) -> None:
    members = [each.strip(" \t") for each in ",".join(lines).split(",")]
    slow = all(not member or MEMBER.fullmatch(member) for member in members)
    assert is_tracestate(lines) == slow
