"""re against CPython's: random patterns over a small alphabet, and random texts."""

import re as real
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext_wasm.library import re
from tests.wasm.library.comparing import outcome

SETS = r"\d \w \s \D \W \S \x61 \. [ab] [^a] [a-c1] [\d_] [^\w] []a] [a-] (?i:a) (?s:.)".split()
LETTERS = ["\xe9", "\u212a", "\u0663", "\xdf", "[\xe0-\xff]", "[k\u017f]"]
ATOMS = st.sampled_from([*"abAB1_ .\n", *SETS, *LETTERS])
PLACES = st.sampled_from(["^", "$", r"\b", r"\B", r"\A", r"\Z"])
LOOKS = st.sampled_from(
    ["(?={})", "(?!{})", "(?<={})", "(?<!{})", "(?!{}$)", "(?<=^{})", r"(?=\b{})", "(?<!{}b|{}a)"]
)
COUNTS = st.sampled_from(["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{2,}", "{,1}"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, PLACES).map("".join),
        st.tuples(PLACES, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.tuples(ATOMS, LOOKS).map(lambda pair: pair[1].replace("{}", pair[0])),
        st.tuples(inner.map("(?:{})".format), LOOKS).map(lambda pair: pair[1].replace("{}", pair[0])),
        inner.map("({})".format),
        inner.map("(?:{})".format),
        inner.map("(?P<name>{})".format),
        st.tuples(inner.map("(?:{})".format), COUNTS).map("".join),
        st.tuples(inner.map("({})".format), COUNTS).map("".join),
        st.tuples(ATOMS, COUNTS).map("".join),
    ),
    max_leaves=6,
)
TEXTS = st.text("abABcK1_ .\n\xe9\u212a\u017f\u0663\xdf\U0001f600", max_size=9)
DATA = st.binary(max_size=6) | TEXTS.map(str.encode)
FLAGS = st.sampled_from([0, re.I, re.M, re.S, re.A, re.I | re.A, re.X, re.M | re.S])


def told(match: Any) -> object:
    """Everything that a match says."""
    if match is None:
        return None
    groups = match.groups(), match.groupdict(), [match.span(n) for n in range(match.re.groups + 1)]
    return match.group(), groups, match.lastindex, match.lastgroup, match.pos, match.endpos


def all_ways(pattern: Any, text: Any) -> list[object]:
    """What the methods of a pattern give."""
    template = r"<\g<0>>" if isinstance(text, str) else rb"<\g<0>>"
    return [
        told(pattern.match(text)),
        told(pattern.fullmatch(text)),
        told(pattern.search(text)),
        told(pattern.search(text, 1, 4)),
        [told(each) for each in pattern.finditer(text)],
        pattern.findall(text),
        pattern.split(text),
        pattern.split(text, 1),
        pattern.subn(template, text),
        pattern.sub(lambda match: match.group() * 2, text, count=2),
    ]


def check_refusal(pattern: str, flags: int) -> None:
    """Refused with CPython's reason, or with one of our own."""
    kind, reason = outcome(re.compile, pattern, flags)
    assert kind is re.error
    if "not supported" not in str(reason):
        assert outcome(real.compile, pattern, flags) == (real.error, reason)


@settings(max_examples=120, deadline=None)
@given(PATTERNS, TEXTS, FLAGS)
def test_patterns(pattern: str, text: str, flags: int) -> None:
    try:
        ours = re.compile(pattern, flags)
    except re.error:
        check_refusal(pattern, flags)
        return
    theirs = real.compile(pattern, flags)
    assert (ours.groups, ours.groupindex) == (theirs.groups, dict(theirs.groupindex))
    assert all_ways(ours, text) == all_ways(theirs, text)


@settings(max_examples=50, deadline=None)
@given(
    PATTERNS.filter(str.isascii), st.binary(max_size=6) | TEXTS.map(str.encode), st.sampled_from([0, re.I])
)
def test_bytes(pattern: str, text: bytes, flags: int) -> None:
    try:
        ours = re.compile(pattern.encode(), flags)
    except re.error:
        return
    assert all_ways(ours, text) == all_ways(real.compile(pattern.encode(), flags), text)


PIECES = st.sampled_from(
    r"a b ( ) [ ] { } * + ? | ^ $ \ . - , 1 2 (?P< > (?: (?i) (?i- : \d \x \u0061 \07 \q".split()
)


@pytest.mark.filterwarnings("ignore:Possible (nested|set):FutureWarning")
@settings(max_examples=200)
@given(st.lists(PIECES, max_size=7).map("".join).filter(lambda pattern: not pattern.endswith("\\")))
def test_broken_patterns(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error:
        check_refusal(pattern, 0)
    else:
        real.compile(pattern)


WIDTHS = [
    "(?<=a?)",
    "(?<=a|bc)",
    "(?<!a{1,2})",
    "(?<=)",
    "(?<!)",
    "(?!)",
    "(?=a|bc)",
    "(?=a{1,3}b)",
    "(?=)?a",
]


@pytest.mark.parametrize("pattern", WIDTHS)
def test_lookaround_of_several_lengths(pattern: str) -> None:
    ours, theirs = (outcome(call, pattern, "cbcaab") for call in (re.split, real.split))
    assert (ours[0].__name__, ours[1]) == (theirs[0].__name__, theirs[1])


def test_a_backslash_at_the_end() -> None:
    """CPython looks one token ahead for it, so with other mistakes the reasons may differ."""
    check_refusal("a\\", 0)


REFUSED = [
    r"(a)\1",
    "(?=a*)",
    "(?!.*b)",
    "(?=(a))",
    "(?<!(?=a+)b)",
    "(?>a)",
    "(a)?(?(1)b|c)",
    "(?P<n>a)(?P=n)",
    "a*+",
]
REFUSED += ["(a*)*", "(?:a|b?)+", "(?L)a", "(?:a{50}){50}", r"\N{DASH}", "(?=(?:a|b){9})", "(?=a{4000000})"]


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_is_refused(pattern: str) -> None:
    with pytest.raises(re.error, match=r"not supported|1000 states"):
        re.compile(pattern)


TEMPLATES = [r"\1-\g<1>", r"\g<w>\n", "\\", r"\2", r"\q", r"\g<x>", r"\g<1", r"\07\101", r"\-"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates(template: str) -> None:
    calls: list[Callable[..., object]] = [re.sub, real.sub]
    ours, theirs = (outcome(call, r"(?P<w>\w)", template, "ab") for call in calls)
    assert (ours[0].__name__, ours[1]) == (theirs[0].__name__, theirs[1])


@given(st.text(max_size=6))
def test_escape(text: str) -> None:
    assert re.escape(text) == real.escape(text)
    assert re.escape(text.encode("utf-8", "replace")) == real.escape(text.encode("utf-8", "replace"))
