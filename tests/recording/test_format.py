"""The format: what is written is read as it was; what is not as it should be is told, and never crashes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.recording.exchange import Recorded
from meshext.recording.format import to_line
from meshext.recording.parse import parse_line
from tests.hosts.forging import headers, response_headers
from tests.recording.exchanges import exchanges, plain, redacted_names
from tests.recording.tapes import Changing
from tests.recording.taping import tape_proc

Mistake = tuple[Callable[[Any], object], str]


@given(exchanges)
def test_what_is_written_is_read_as_it_was(recorded: Recorded) -> None:
    line = to_line(recorded)
    assert line.count(b"\n") == 1
    assert line.isascii()
    found = parse_line(line)
    assert found == recorded
    assert redacted_names(found) == redacted_names(recorded)


def line_of(change: Callable[[Any], object] = lambda _: None) -> bytes:
    """A line of a real exchange, changed."""
    recorded = tape_proc(Changing, messages=[headers(), response_headers(end=True)])
    found = json.loads(to_line(recorded))
    change(found)
    return json.dumps(found).encode()


GOOD = json.loads(line_of())


def put(*path: str | int, value: object) -> Callable[[Any], object]:
    """Another value at a path; without a value the key is gone."""

    def change(found: Any) -> None:
        *front, last = path
        for step in front:
            found = found[step]
        if value is ...:
            del found[last]
        else:
            found[last] = value

    return change


MISTAKES: list[tuple[tuple[str | int, ...], object, str]] = [
    (("recording",), 2, "recording: version 2 is not known here; this meshext reads version 1"),
    (("recording",), True, "recording: version true is not known here; this meshext reads version 1"),
    (("recording",), ..., "no recorded exchange: 'recording', the version of the format, is missing"),
    (("time",), "now", "time: 'now' is not a number, 0 or more"),
    (("time",), ..., "the line: the key 'time' is missing"),
    (("peer", "tls"), 1, "peer.tls: 1 is not true or false"),
    (("mode",), "wasm", "mode: 'wasm' is not one of authz, proc"),
    (("request", "headers"), {}, "request.headers: an object is not a list of pairs of a name and a value"),
    (("request", "headers", 0), ["a"], "request.headers[0]: a list of 1 is not a pair of a name and a value"),
    (("request", "headers", 0), ["A", "b"], "request.headers[0][0]: 'A' is not a name in lower case"),
    (
        ("request", "headers", 0, 1),
        3,
        'request.headers[0][1]: 3 is not a text, {"base64": ...} or {"redacted": true}',
    ),
    (
        ("request", "headers", 0, 1),
        {"base64": "!"},
        "request.headers[0][1].base64: '!' is not base64 (RFC 4648 section 4)",
    ),
    (("request", "headers", 0, 1), {"hex": "00"}, "request.headers[0][1]: the key 'base64' is missing"),
    (("request", "body"), {"size": 1}, "request.body: an object is not a body with either text or base64"),
    (
        ("request", "body"),
        {"size": 1, "text": "abc"},
        "request.body.size: 1 is not a whole number, 3 or more",
    ),
    (
        ("request", "body"),
        {"size": 3, "text": "abc", "chunks": [1, 1]},
        "request.body.chunks: a list of 2 is not a list of sizes that are 3 together",
    ),
    (
        ("request", "cookies"),
        [],
        "request: the key 'cookies' is unknown; the keys are headers, body, trailers, attributes, metadata",
    ),
    (("decision", "outcome"), "maybe", "decision.outcome: 'maybe' is not one of passed, passed_open"),
    (("decision", "answer"), {"status": 99}, "decision.answer: the key 'headers' is missing"),
]


@pytest.mark.parametrize(("path", "value", "told"), MISTAKES, ids=[told for _, _, told in MISTAKES])
def test_a_mistake_is_told_with_its_path(path: tuple[str | int, ...], value: object, told: str) -> None:
    problems = parse_line(line_of(put(*path, value=value)))
    assert isinstance(problems, list)
    assert any(problem.startswith(told) for problem in problems), problems


def test_all_mistakes_of_a_line_are_told_at_once() -> None:
    def spoil(found: Any) -> None:
        found.update(time=None, mode=3, route=4)

    problems = parse_line(line_of(spoil))
    assert isinstance(problems, list)
    assert len(problems) == 3


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"", "not JSON"),
        (b"[]", "no recorded exchange"),
        (b'{"recording":1', "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"recording":1,"recording":1}', "not JSON: the key 'recording' is given twice"),
        (b'{"recording":NaN}', "not JSON: NaN is not a number"),
        (b'{"recording":1,"time":' + b"9" * 5000 + b"}", "not JSON"),
        (b"[" * 100_000, "not JSON that can be read: nested too deep"),
        (
            line_of(put("request", "metadata", value={"n": {"k": json.loads("[" * 40 + "]" * 40)}})),
            "request.metadata.n.k: a list of 1 is not nested 32 deep at most",
        ),
    ],
)
def test_what_is_no_line_is_told(line: bytes, told: str) -> None:
    problems = parse_line(line)
    assert isinstance(problems, list)
    assert problems[0].startswith(told)


@given(st.binary(max_size=200))
def test_bytes_never_crash(line: bytes) -> None:
    assert isinstance(parse_line(line), list)


@given(st.data())
def test_spoilt_lines_never_crash(data: st.DataObject) -> None:
    found = json.loads(json.dumps(GOOD))
    for _ in range(data.draw(st.integers(1, 4))):
        place: Any = found
        while True:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = data.draw(st.sampled_from(list(keys)))
            if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
                break
            place = place[key]
        place[key] = data.draw(plain)
    found["recording"] = 1
    problems = parse_line(json.dumps(found).encode())
    assert isinstance(problems, Recorded) or (problems and all(map(str.isprintable, problems)))
