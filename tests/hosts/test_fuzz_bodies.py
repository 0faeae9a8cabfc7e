"""Random messages for filters that look at bodies under way: one answer for each, or an error that refuses.

`MESHEXT_FUZZ=100000 pytest tests/hosts/test_fuzz_bodies.py` tries more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext import Filter, Request, Respond, Response
from meshext.http.exchange import Exchange
from tests.hosts.forging import Background, Forger
from tests.hosts.test_fuzz import EXAMPLES, PHASES, fuzz, held, messages


class Acts:
    """Does what the request's header `x-do` says."""

    def act(self, message: Any, request: Request, chunk: bytes, last: bool) -> Any:
        what = request.headers.get("x-do", "")
        if "metadata" in what:
            message.set_metadata("size", len(chunk))
        if "raise" in what:
            raise ValueError(what)
        if "stop" in what and last:
            return Respond(400, body="no")
        if "query" in what:
            return "no bytes"
        if "write" in what:
            return chunk + b"!"
        return b"" if "body" in what else None


class Chunks(Acts, Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> Any:
        return self.act(request, request, chunk, last)

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> Any:
        return self.act(response, response.request, chunk, last)

    def on_complete(self, exchange: Exchange) -> None:
        assert exchange.request_size is None or exchange.request_size >= 0


class Open(Chunks):
    failure = "open"

    async def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> Any:
        return self.act(request, request, chunk, last)


class Duplex(Chunks):
    duplex = True


class Past(Filter):
    max_body = 1000
    oversize = "pass"

    def on_request(self, request: Request) -> None:
        if "path" in request.headers.get("x-do", ""):
            request.skip_body()

    def on_request_body(self, request: Request) -> None:
        request.body += b"!"

    def on_response(self, response: Response) -> None:
        if "path" in response.request.headers.get("x-do", ""):
            response.skip_body()

    def on_response_body(self, response: Response) -> None:
        response.headers["x-size"] = str(len(response.body))


CHAINS: dict[str, tuple[type[Filter], ...]] = {
    "stream": (Chunks, Open),
    "duplex": (Duplex, Open),
    "past": (Past,),
    "mixed": (Open, Past),
}


@pytest.fixture(scope="module")
def background() -> Iterator[Background]:
    background = Background()
    yield background
    background.close()


@pytest.fixture(scope="module", params=CHAINS)
def forger(request: pytest.FixtureRequest, background: Background) -> Iterator[Forger]:
    yield from held(background, *CHAINS[request.param])


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """Mostly the order of an exchange, with bodies in pieces."""
    if not draw(st.integers(0, 3)):
        return draw(st.lists(messages(), max_size=7))
    times = {phase: draw(st.integers(0, 4 if phase.endswith("body") else 1)) for phase in PHASES}
    times["request_headers"] = 1
    return [draw(messages(phase)) for phase in PHASES for _ in range(times[phase])]


@settings(fuzz, max_examples=max(EXAMPLES // len(CHAINS), 10))
@given(stream=streams())
def test_streams_of_bodies(background: Background, forger: Forger, stream: list[bytes]) -> None:
    ended = background.run(forger.play(stream))
    assert ended.status in ("OK", "FAILED_PRECONDITION", "ABORTED")
    if ended.status == "OK" and "immediate_response" not in ended.phases:
        assert len(ended.answers) == len(stream)
    for answer in (*ended.answers, *ended.tails):
        assert answer.WhichOneof("response") is not None
