"""Any order of events gives an effect or a ProtocolError, never anything else."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext import Exchange, Filter, Request, Respond, Response
from meshext.engine.carrier import IN_PROCESS
from meshext.engine.chain import Chain, build_chain, build_mount
from meshext.engine.effects import Answer, Proceed, Reset
from meshext.engine.engine import Engine
from meshext.engine.events import (
    Event,
    RequestBodyReceived,
    RequestChunkReceived,
    RequestHeadersReceived,
    RequestTrailersReceived,
    ResponseBodyReceived,
    ResponseChunkReceived,
    ResponseHeadersReceived,
    ResponseTrailersReceived,
)
from meshext.engine.phases import TABLE, Phase
from meshext.engine.watch import NoWatch
from meshext.errors import ProtocolError
from meshext.http.context import Surroundings
from meshext.http.parts import RequestParts, ResponseParts


class Everything(Filter):
    """Changes whatever it may; a request to /stop is answered, a body of `stop` too."""

    def on_request(self, request: Request) -> Respond | None:
        request.headers.add("x-seen", "1")
        request.response_headers.add("x-seen", "1")
        return Respond(403) if request.path == "/stop" else None

    def on_request_body(self, request: Request) -> Respond | None:
        request.headers.add("x-seen", "body")
        return Respond(403, body=b"no") if request.body == b"stop" else None

    def on_request_trailers(self, request: Request) -> None:
        request.trailers["x-t"] = "1"

    def on_response(self, response: Response) -> None:
        response.headers.add("x-seen", "2")

    def on_response_body(self, response: Response) -> Respond | None:
        response.body = response.body + b"!"
        return Respond(502) if response.body == b"stop!" else None

    def on_response_trailers(self, response: Response) -> None:
        response.trailers["x-t"] = "1"

    def on_complete(self, exchange: Exchange) -> None:
        assert exchange.duration >= 0


class Second(Everything):
    pass


class Chunks(Filter):
    """A request that says `stop` is answered, one that says `body` is swallowed, and one chunk is two."""

    def on_request(self, request: Request) -> None:
        if request.path == "/stop":
            request.skip_body()

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> Respond | bytes | None:
        if chunk == b"stop":
            return Respond(403)
        return b"" if chunk == b"body" else None

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> bytes:
        return chunk * 2

    def on_complete(self, exchange: Exchange) -> None:
        assert exchange.duration >= 0


BODIES = st.sampled_from([b"", b"body", b"stop"])
TRAILERS = (("x-t", b"0"),)


def headers(path: str, end: bool) -> Event:
    lines = RequestParts((), "GET", "http", "a", path).to_lines()
    return RequestHeadersReceived(lines=lines, end=end, surroundings=Surroundings())


EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(headers, st.sampled_from(["/", "/stop"]), st.booleans()),
    st.builds(lambda body, end: RequestBodyReceived(body=body, end=end), BODIES, st.booleans()),
    st.builds(lambda body, end: RequestChunkReceived(body=body, end=end), BODIES, st.booleans()),
    st.just(RequestTrailersReceived(lines=TRAILERS)),
    st.builds(
        lambda end: ResponseHeadersReceived(lines=ResponseParts((), 200).to_lines(), end=end), st.booleans()
    ),
    st.builds(lambda body, end: ResponseBodyReceived(body=body, end=end), BODIES, st.booleans()),
    st.builds(lambda body, end: ResponseChunkReceived(body=body, end=end), BODIES, st.booleans()),
    st.just(ResponseTrailersReceived(lines=TRAILERS)),
)
CHAIN = build_chain([build_mount(Everything), build_mount(Second)])
CHUNKED = build_chain([build_mount(Chunks), build_mount(Chunks)])
MIXED = build_chain([build_mount(Chunks), build_mount(Everything)])
CHAINS = st.sampled_from([CHAIN, CHUNKED, MIXED])


async def play(chain: Chain, events: list[Event]) -> None:
    engine = Engine(chain, watch=NoWatch(), carrier=IN_PROCESS)
    for event in events:
        try:
            effect = await engine.receive(event)
        except ProtocolError:
            break
        assert isinstance(effect, Proceed | Answer | Reset)
        assert engine.answered == (not isinstance(effect, Proceed))
    await engine.complete()
    assert engine.failures == []


@settings(max_examples=400)
@given(CHAINS, st.lists(EVENTS, max_size=8))
def test_any_order_gives_an_effect_or_a_protocol_error(chain: Chain, events: list[Event]) -> None:
    asyncio.run(play(chain, events))


@given(CHAINS, st.booleans(), st.lists(EVENTS, max_size=6))
def test_orders_that_begin_well(chain: Chain, end: bool, events: list[Event]) -> None:
    asyncio.run(play(chain, [headers("/", end), *events]))


@given(st.lists(st.sampled_from([b"", b"a", b"bc"]), max_size=8), st.booleans())
def test_no_byte_of_a_chunk_is_lost_or_doubled(chunks: list[bytes], trailers: bool) -> None:
    """Two filters that leave the request's chunks: what goes on is what came."""

    async def flow() -> bytes:
        engine = Engine(CHUNKED, watch=NoWatch(), carrier=IN_PROCESS)
        await engine.receive(headers("/", end=False))
        out = b""
        for number, chunk in enumerate(chunks, 1):
            end = number == len(chunks) and not trailers
            effect = await engine.receive(RequestChunkReceived(body=chunk, end=end))
            assert isinstance(effect, Proceed)
            out += chunk if effect.body is None else effect.body
        return out

    assert asyncio.run(flow()) == b"".join(chunks)


def test_nothing_follows_an_answer() -> None:
    engine = Engine(CHAIN, watch=NoWatch(), carrier=IN_PROCESS)

    async def answered() -> None:
        await engine.receive(headers("/stop", end=False))
        await engine.receive(RequestBodyReceived(body=b""))

    with pytest.raises(ProtocolError, match="after the exchange was answered"):
        asyncio.run(answered())


def test_the_table_never_goes_back() -> None:
    order = list(Phase)
    assert all(order.index(after) >= order.index(before) for (before, _), after in TABLE.items())
