"""What is kept of an exchange, in both modes: what came, what was decided, nothing of what is redacted."""

from __future__ import annotations

from typing import Any

import pytest

from meshext.errors import OptionError
from meshext.http.parts import HeaderChange
from meshext.http.peer import Peer
from meshext.recording.exchange import NO_BODY, Body
from meshext.recording.format import to_line
from meshext.recording.message_tape import MOST_BODY, MOST_CHUNKS, BodyTape
from meshext.recording.parse import parse_line
from meshext.recording.redaction import Redacted, check_redacted
from tests.hosts.forging import (
    REQUEST,
    body,
    headers,
    response_body,
    response_headers,
    trailers,
)
from tests.recording.tapes import Changing, Chunked, Guarding, Open, Skipping, Whole
from tests.recording.taping import check_request, tape_authz, tape_proc


def test_an_exchange_through_ext_proc() -> None:
    found = tape_proc(Changing, messages=[headers(x_drop="1"), response_headers(end=True)])
    assert found == parse_line(to_line(found))
    assert (found.mode, found.request_id) == ("proc", "some-id")
    assert (found.peer, found.client_address) == (Peer(address="10.0.0.1"), "192.0.2.7")
    assert (found.route, found.cluster) == ("shop", "v1")
    assert found.served.filters == ("changing",)
    assert found.served.attributes == ("source.port", "request.path")
    assert found.request.lines == (*REQUEST, ("x-drop", b"1"))
    assert (found.request.body, found.request.trailers) == (NO_BODY, ())
    assert found.request.attributes == {"source.port": None}  # the other follows from the request's lines
    assert found.decision.outcome == "passed"
    assert found.decision.sent
    assert found.decision.request.headers == HeaderChange(("x-drop",), (("x-version", (b"v2",)),))
    assert found.decision.response.headers.replace[1] == ("x-added", (b"1",))
    assert found.decision.additions == (((("x-added", b"1"),), frozenset({"x-added"})),)
    assert found.decision.metadata == {"meshext.changing": {"seen": {"a": [1, None]}}}
    assert [(runs.hook, runs.runs) for runs in found.decision.hooks] == [
        ("on_request", 1),
        ("on_response", 1),
    ]


def test_a_check() -> None:
    found = tape_authz(Guarding, raw=check_request(REQUEST))
    assert (found.mode, found.decision.outcome, found.response) == ("authz", "passed", None)
    assert (found.request.body, found.request.trailers) == (None, None)  # nobody asked whether there are any


def test_an_answer() -> None:
    found = tape_proc(Guarding, messages=[headers(authorization="no")], redact=())
    answer = found.decision.answer
    assert answer is not None
    assert (found.decision.outcome, found.decision.filter, found.decision.sent) == (
        "answered",
        "guarding",
        False,
    )
    assert (answer.status, answer.body, answer.details) == (403, Body(data=b"no\xff", size=3), "not_you")
    assert ("x-why", b"no") in answer.lines


@pytest.mark.parametrize(("cls", "outcome"), [(Guarding, "failed_closed"), (Open, "passed_open")])
def test_a_failure(cls: Any, outcome: str) -> None:
    found = tape_proc(cls, messages=[headers(x_raise="why")])
    assert found.decision.outcome == outcome
    assert found.decision.hooks[0].failed == (("raised", "ValueError: why"),)


def test_bodies_and_trailers() -> None:
    messages = [headers(end=False), body(b"abc", end=False), trailers(), response_headers(), response_body()]
    found = tape_proc(Whole, messages=messages)
    assert found.request.body == Body(data=b"abc", size=3)
    assert found.request.trailers == (("x-end", b"1"),)
    assert found.decision.request.body == Body(data=b"ABC", size=3)
    assert found.response is not None
    assert (found.response.body, found.response.trailers) == (Body(data=b"body", size=4), ())
    assert found.decision.response.body is None


def test_an_answer_in_the_place_of_a_response() -> None:
    found = tape_proc(Whole, messages=[headers(), response_headers(), response_body(b"bad")])
    assert found.decision.sent
    assert found.decision.answer is not None
    assert found.decision.answer.status == 502


def test_chunks_keep_their_bounds() -> None:
    messages = [headers(end=False), body(b"a", end=False), body(b"b", end=False), body(b"", end=True)]
    found = tape_proc(Chunked, messages=messages)
    assert found.request.body == Body(data=b"ab", size=2, chunks=(1, 1, 0))
    assert found.request.body.pieces() == (b"a", b"b", b"")
    assert found.decision.request.body == Body(data=b"aB", size=2)


def test_what_flowed_past_is_not_known() -> None:
    found = tape_proc(Skipping, messages=[headers(end=False, x_skip="1")])
    assert found.request.body is None


def test_an_exchange_that_was_left() -> None:
    found = tape_proc(Whole, messages=[headers(end=False)])
    assert (found.decision.outcome, found.decision.sent) == ("abandoned", False)
    found = tape_proc(Chunked, messages=[headers(end=False), body(b"a", end=False)])
    assert found.request.body == Body(data=b"a", size=1, chunks=(1,), more=True)


def test_a_refused_message() -> None:
    found = tape_proc(Whole, messages=[headers(end=False), trailers(), trailers()])
    assert found.decision.outcome == "refused"


def test_redacted_values_are_nowhere() -> None:
    request = headers(authorization="s3cr3t-a", cookie="s3cr3t-b", x_api_key="s3cr3t-c")
    messages = [
        request,
        response_headers((("set-cookie", b"s3cr3t-d"), (":status", b"200")), end=True),
    ]
    found = tape_proc(Changing, messages=messages, redact=("X-Api-Key",))
    line = to_line(found)
    assert b"s3cr3t" not in line
    assert b"secret=1" not in line  # what the filter wrote in such a header
    again = parse_line(line)
    assert again == found
    assert {name for name, value in found.request.lines if isinstance(value, Redacted)} == {
        "authorization",
        "cookie",
        "x-api-key",
    }


def test_redacted_trailers_and_request_id() -> None:
    secret = (("x-request-id", b"s3cr3t"),)
    messages = [headers((*REQUEST[:4], *secret), end=False), body(end=False), trailers(secret)]
    found = tape_proc(Whole, messages=messages, redact=("x-request-id",))
    assert b"s3cr3t" not in to_line(found)


@pytest.mark.parametrize("name", ["", "a b", ":path", "host"])
def test_a_name_that_can_not_be_redacted(name: str) -> None:
    with pytest.raises(OptionError, match="names no header"):
        check_redacted([name])


def test_a_long_body_keeps_its_beginning() -> None:
    tape = BodyTape(chunked=False)
    tape.add(b"a" * (MOST_BODY + 5))
    kept = tape.body()
    assert (len(kept.data), kept.size, kept.complete) == (MOST_BODY, MOST_BODY + 5, False)


def test_a_stream_without_end_is_kept_in_bounds() -> None:
    tape = BodyTape(chunked=True)
    for _ in range(MOST_CHUNKS + 10):
        tape.add(b"")
    kept = tape.body()
    assert kept.more
    assert len(kept.chunks or ()) == MOST_CHUNKS
