"""Whatever comes, a filter decides it again as was recorded: written, read and replayed, in every style.

`MESHEXT_FUZZ=100000` tries more.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshext import Filter
from meshext.recording.exchange import Recorded
from meshext.recording.format import to_line
from meshext.recording.read import read_recording
from meshext.replay.compare import compare
from meshext.replay.player import Player
from tests.hosts import forging
from tests.recording.taping import check_request, tape_authz, tape_proc
from tests.replay import chaos

HERE = Path(chaos.__file__)
EXAMPLES = int(os.environ.get("MESHEXT_FUZZ", "300")) // 10
SOME = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))

words = st.sampled_from("write target raise response metadata stop body skip".split())
values = st.sampled_from([b"", b"x", b"\xff\x80", "\u00e9".encode()])
extra = st.lists(st.tuples(st.sampled_from(["a", "b", "x-long-name"]), values), max_size=3)
pieces = st.lists(st.sampled_from([b"", b"ab", b"bad", b"\x00\xff", b"long" * 10]), max_size=3)


@st.composite
def requests(draw: st.DrawFn) -> list[tuple[str, bytes]]:
    todo = " ".join(draw(st.lists(words, max_size=3)))
    where = draw(st.text("12345", max_size=3))
    path = draw(st.sampled_from([b"/x?a=b", b"/", b"/%ff"]))
    lines = [*forging.REQUEST[:3], (":path", path), ("x-do", todo.encode()), ("x-in", where.encode())]
    return [*lines, *draw(extra)]


@st.composite
def streams(draw: st.DrawFn, whole: bool) -> list[bytes]:
    """The messages of one stream as Envoy would send them, whatever the answers are."""
    request, response = draw(pieces), draw(pieces)
    if whole:
        request, response = ([b"".join(some)] if some else [] for some in (request, response))
    trailing, answered = draw(st.booleans()), draw(st.booleans())
    found = [forging.headers(draw(requests()), end=not request and not trailing)]
    found += [
        forging.body(data, end=at == len(request) and not trailing) for at, data in enumerate(request, 1)
    ]
    found += [forging.trailers()] if trailing else []
    if answered:
        found.append(forging.response_headers((*forging.RESPONSE, *draw(extra)), end=not response))
        found += [forging.response_body(data, end=at == len(response)) for at, data in enumerate(response, 1)]
    return found


def check_same(recorded: Recorded, cls: type[Filter], path: Path) -> None:
    path.write_bytes(to_line(recorded))
    recording = read_recording(str(path))
    player = Player([f"{HERE}:{cls.__name__}"], [], now=recorded.time)
    [found] = compare(recording, player)
    left = recorded.decision.outcome in ("abandoned", "refused")
    cut = recorded.request.body is not None and recorded.request.body.more
    assert found.replayed or left or cut, (found.missing, recorded)
    assert found.differences == ()
    assert found.missing == () or left or cut or "the response" in found.missing


@pytest.mark.parametrize("cls", [chaos.Chaos, chaos.Bodies, chaos.Passing, chaos.Chunks, chaos.Duplex])
@given(data=st.data())
@SOME
def test_streams(cls: type[Filter], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    messages = data.draw(streams(whole=cls not in (chaos.Chunks, chaos.Duplex)))
    path = tmp_path_factory.getbasetemp() / "recording"
    check_same(tape_proc(cls, messages=messages), cls, path)


@pytest.mark.parametrize("cls", [chaos.Headers, chaos.WholeHeaders])
@given(lines=requests(), body=st.sampled_from([b"", b"bad", b"long" * 10]))
@SOME
def test_checks(
    cls: type[Filter], lines: list[tuple[str, bytes]], body: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "recording"
    check_same(tape_authz(cls, raw=check_request(lines, body)), cls, path)
