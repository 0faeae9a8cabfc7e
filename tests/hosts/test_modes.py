"""An Envoy that was configured otherwise than `meshext config` says: refused, never let past a filter."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from meshext import Filter, Request, Response
from meshext.engine.chain import Chain, build_chain, build_mount
from meshext.engine.watch import NoWatch
from meshext.errors import ProtocolError
from meshext.hosts.ext_proc import Session
from meshext.hosts.modes import BODY_MODES
from meshext.plan import build_plan
from tests.hosts.forging import (
    Answer,
    body,
    build,
    headers,
    response_body,
    response_headers,
    response_trailers,
    trailers,
)


class Whole(Filter):
    def on_request_body(self, request: Request) -> None: ...


class Passes(Filter):
    max_body = 4
    oversize = "pass"

    def on_request_body(self, request: Request) -> None: ...

    def on_response_body(self, response: Response) -> None: ...


class Chunks(Filter):
    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> None: ...


class Duplex(Chunks):
    duplex = True


class HeadersOnly(Filter):
    def on_request(self, request: Request) -> None: ...


FILTERS: tuple[type[Filter], ...] = (HeadersOnly, Whole, Passes, Chunks, Duplex)
MODES = sorted(set(BODY_MODES.values()))


def configured(request_mode: int, response_mode: int) -> bytes:
    message = build("request_headers", ((":method", b"POST"), (":path", b"/")), end=False)
    message.protocol_config.request_body_mode = request_mode
    message.protocol_config.response_body_mode = response_mode
    raw: bytes = message.SerializeToString()
    return raw


def send(chain: Chain, *messages: bytes) -> list[Any]:
    session = Session(chain, build_plan(chain.needs, "proc"), NoWatch(), ())

    async def all_of_them() -> list[Any]:
        found = []
        for message in messages:
            found += [Answer.FromString(raw) for raw in await session.receive(message)]
        return found

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cls", FILTERS)
def test_bodies_have_to_come_as_they_are_wanted(cls: type[Filter], mode: int) -> None:
    chain = build_chain([build_mount(cls)])
    wanted = (chain.request_body, chain.response_body)
    fits = all(not style or BODY_MODES[style] == mode for style in wanted)
    if fits:
        assert send(chain, configured(mode, mode))
    else:
        with pytest.raises(ProtocolError, match=r"_body_mode: [A-Z_]+ on the ext_proc filter"):
            send(chain, configured(mode, mode))


PASSES = build_chain([build_mount(Passes)])
LONG = b"x" * (PASSES.room + 1)
ANNOUNCED = headers(end=False, content_length="2000")


@pytest.mark.parametrize(
    "messages",
    [
        (headers(end=False), body(end=False), trailers(), response_headers()),
        (headers(end=False), body(LONG, end=False), response_headers()),
        (ANNOUNCED, body(b"x" * 2000), response_headers()),
        (headers(), response_headers(), response_body(end=False), response_trailers()),
    ],
    ids=["trailers", "cut beyond our room", "whole", "response trailers"],
)
def test_bodies_that_our_configuration_sends(messages: tuple[bytes, ...]) -> None:
    assert len(send(PASSES, *messages)) == len(messages)


@pytest.mark.parametrize(
    "messages",
    [
        (ANNOUNCED, body(b"x" * 1999, end=False)),
        (headers(end=False), body(end=False), response_headers()),
        (
            headers(),
            response_headers([(":status", b"200"), ("content-length", b"2000")]),
            response_body(end=False),
        ),
    ],
    ids=["less than announced", "no trailers behind", "response less than announced"],
)
def test_a_body_that_a_small_buffer_cut_is_refused(messages: tuple[bytes, ...]) -> None:
    with pytest.raises(ProtocolError, match="per_connection_buffer_limit_bytes"):
        send(PASSES, *messages)


def test_chunks_in_the_place_of_a_whole_body_are_refused() -> None:
    """What comes in pieces although it is wanted whole has a second body event, which no order has."""
    with pytest.raises(ProtocolError):
        send(build_chain([build_mount(Whole)]), headers(end=False), body(end=False), body(end=True))
