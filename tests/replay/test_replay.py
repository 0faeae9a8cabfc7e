"""Recorded exchanges through filters again: the same decisions, or what differs; what is missing is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meshext import Filter
from meshext.recording.exchange import Body, Recorded
from meshext.recording.format import to_line
from meshext.recording.read import read_recording
from meshext.replay.compare import Compared, compare
from meshext.replay.player import Player
from tests.hosts.forging import (
    REQUEST,
    body,
    headers,
    response_body,
    response_headers,
    response_trailers,
    trailers,
)
from tests.recording.taping import check_request, tape_authz, tape_proc
from tests.replay import policies

HERE = Path(__file__).parent / "policies.py"
RESPONSE = ((":status", b"200"), ("server", b"x"), ("content-length", b"4"))


def spec(cls: type[Filter]) -> str:
    return f"{HERE}:{cls.__name__}"


@pytest.fixture
def replayed(tmp_path: Path) -> Any:
    """`replayed(recorded, cls)`: what is found out."""

    def run(
        recorded: Recorded | Sequence[Recorded],
        cls: type[Filter],
        against: type[Filter] | None = None,
        config: str | None = None,
    ) -> list[Compared]:
        several = [recorded] if isinstance(recorded, Recorded) else recorded
        path = tmp_path / "recording"
        path.write_bytes(b"".join(map(to_line, several)))
        recording = read_recording(str(path))
        now = recording.entries[0].time
        first = Player([spec(cls)], [config] if config else [], now=now)
        second = Player([spec(against)], [], now=now) if against else None
        return list(compare(recording, first, second))

    return run


def exchange(*filters: type[Filter], data: bytes = b"data", **options: Any) -> Recorded:
    messages = [headers(end=False), body(data), response_headers(RESPONSE), response_body()]
    return tape_proc(*filters, messages=messages, **options)


EXCHANGES: dict[str, tuple[type[Filter], Recorded]] = {
    "whole": (policies.Tag, exchange(policies.Tag)),
    "no body": (policies.Tag, tape_proc(policies.Tag, messages=[headers(), response_headers(end=True)])),
    "trailers": (
        policies.Tag,
        tape_proc(
            policies.Tag,
            messages=[
                headers(end=False),
                body(end=False),
                trailers(),
                response_headers(),
                response_body(end=False),
                response_trailers(),
            ],
        ),
    ),
    "trailers alone": (
        policies.OnTrailers,
        tape_proc(policies.OnTrailers, messages=[headers(end=False), trailers()]),
    ),
    "failed": (policies.Failing, tape_proc(policies.Failing, messages=[headers()])),
    "answered": (policies.OnBody, exchange(policies.OnBody, data=b"bad")),
    "skipped": (
        policies.SomeBodies,
        tape_proc(policies.SomeBodies, messages=[headers(((":method", b"PUT"), *REQUEST[1:]), end=False)]),
    ),
    "chunks": (
        policies.OnChunk,
        tape_proc(policies.OnChunk, messages=[headers(end=False), body(b"a", end=False), body(b"b")]),
    ),
    "too long": (policies.OnBody, exchange(policies.OnBody, data=b"a" * (3 << 20))),
    "attributes": (policies.Port, tape_proc(policies.Port, messages=[headers()])),
    "check": (policies.Failing, tape_authz(policies.Failing, raw=check_request(REQUEST))),
    "check with body": (policies.OnBody, tape_authz(policies.OnBody, raw=check_request(REQUEST, b"bad"))),
    "check without body": (policies.OnBody, tape_authz(policies.OnBody, raw=check_request(REQUEST))),
}


@pytest.mark.parametrize("name", EXCHANGES)
def test_the_same_filter_decides_the_same(name: str, replayed: Any) -> None:
    cls, recorded = EXCHANGES[name]
    [found] = replayed(recorded, cls)
    assert found.missing == ()
    assert found.replayed
    assert found.differences == ()
    [found] = replayed(recorded, cls, against=cls)
    assert found.differences == ()


def test_what_another_filter_does_otherwise(replayed: Any) -> None:
    [found] = replayed(exchange(policies.Tag), policies.NewTag)
    assert [tuple(difference) for difference in found.differences] == [
        ("upstream x-tag", "old", "new"),
        ("upstream body", "dataold (7 bytes)", "datanew (7 bytes)"),
        ("client x-tag", "old", "new"),
        ("client body", "oldbody (7 bytes)", "newbody (7 bytes)"),
        ("metadata meshext.tag tag", '"old"', '"new"'),
    ]
    [found] = replayed(exchange(policies.Tag), policies.NewTag, against=policies.Tag)
    assert found.differences[0] == ("upstream x-tag", "new", "old")


def test_an_answer_beside_a_way_on(replayed: Any) -> None:
    [found] = replayed(exchange(policies.OnBody, data=b"bad"), policies.Failing)
    assert ("decision", "400 by on-body", "500, failing failed") in found.differences
    assert ("failure failing on_request", "-", "raised") in found.differences


def test_state_goes_on_from_one_exchange_to_the_next(replayed: Any) -> None:
    """The clock stands at each exchange's own time, and the store remembers as in the service."""
    one = tape_proc(policies.Tag, messages=[headers(), response_headers(end=True)])
    several = [replace(one, time=1000.0 + 25 * number) for number in range(4)]
    found = replayed([several[1], several[0], *several[2:]], policies.Limit)
    statuses = [each.after.answer.status if each.after.answer else 0 for each in found]
    seen = [dict(each.after.request.headers.replace).get("x-seen") for each in found]
    assert statuses == [0, 0, 429, 0]  # the fourth comes when the first minute is over
    assert seen == [(b"1 at 1000",), (b"2 at 1025",), None, (b"1 at 1075",)]


MISSING = [
    (policies.OnBody, tape_authz(policies.Failing, raw=check_request(REQUEST)), "the request's body"),
    (policies.OnTrailers, tape_authz(policies.Failing, raw=check_request(REQUEST)), "the request's trailers"),
    (policies.Port, exchange(policies.OnBody), "the attribute source.port"),
    (policies.Port, exchange(policies.OnBody), "the metadata jwt"),
    (
        policies.Tag,
        tape_proc(policies.OnBody, messages=[headers(end=False)]),
        "how it would have gone on (abandoned)",
    ),
    (policies.SomeBodies, tape_proc(policies.Failing, messages=[headers(end=False)]), "the request's body"),
    (
        policies.OnChunk,
        exchange(policies.OnBody, data=b"a" * 2_000_000),
        "all of the request's body (1048577 bytes of 2000000)",
    ),
]


@pytest.mark.parametrize(("cls", "recorded", "missing"), MISSING, ids=[missing for *_, missing in MISSING])
def test_what_is_not_recorded_is_told(
    cls: type[Filter], recorded: Recorded, missing: str, replayed: Any
) -> None:
    [found] = replayed(recorded, cls)
    assert missing in found.missing
    assert not found.replayed


def test_without_a_response_the_request_is_compared(replayed: Any) -> None:
    recorded = tape_authz(policies.Failing, raw=check_request(REQUEST))
    [found] = replayed(recorded, policies.OnResponse)
    assert found.missing == ("the response",)
    assert found.differences[0] == ("decision", "500, failing failed", "passed")


def test_who_reads_what_is_redacted_is_told(replayed: Any) -> None:
    recorded = tape_proc(policies.Key, messages=[headers(authorization="Bearer good")])
    assert recorded.decision.outcome == "passed"
    [found] = replayed(recorded, policies.Key)
    assert found.reads == {("key", "authorization")}
    assert found.differences[0] == ("decision", "passed", "401 by key")
    [found] = replayed(recorded, policies.Tag)
    assert found.reads == frozenset()
    recorded = tape_proc(policies.AsyncKey, messages=[headers(cookie="session=good")])
    [found] = replayed(recorded, policies.AsyncKey)
    assert found.reads == {("async-key", "cookie")}
    recorded = tape_proc(policies.Agent, messages=[headers(user_agent="me")], redact=["user-agent"])
    [found] = replayed(recorded, policies.Agent)
    assert found.reads == {("agent", "user-agent")}


def test_chunks_are_replayed_as_they_came(replayed: Any) -> None:
    recorded = tape_proc(policies.OnChunk, messages=[headers(end=False), body(b"a", end=False), body(b"b")])
    [found] = replayed(recorded, policies.OnChunk)
    assert found.after.request.body == Body(data=b"<a><b>", size=6)
    [found] = replayed(exchange(policies.OnBody), policies.OnChunk)
    assert found.after.request.body == Body(data=b"<data>", size=6)
    [found] = replayed(recorded, policies.OnBody)
    assert found.replayed


def test_a_broken_response_is_no_crash(replayed: Any) -> None:
    """A recording that somebody wrote by hand may hold what no Envoy sends."""
    recorded = exchange(policies.Tag)
    assert recorded.response is not None
    odd = replace(recorded, response=replace(recorded.response, lines=()))
    [found] = replayed(replace(odd, request=replace(odd.request, lines=())), policies.Tag)
    assert found.replayed
