"""Whatever comes on an ext_proc stream: one answer for each message, or an error that refuses it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext import Filter, Request, Respond, Response
from meshext.engine.chain import build_chain, build_mount
from meshext.engine.watch import NoWatch
from meshext.errors import ProtocolError
from meshext.hosts.ext_authz import check
from meshext.hosts.ext_proc import Session
from meshext.http.parts import RequestParts, ResponseParts
from meshext.plan import build_plan
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2
from meshext_proto.envoy.service.ext_proc.v3 import external_processor_pb2
from tests.conformance.runtimes.proc_grpc import to_map


class Everything(Filter):
    def on_request(self, request: Request) -> Respond | None:
        request.headers["x-a"] = "1"
        request.response_headers["x-a"] = "1"
        return Respond(403) if request.path == "/stop" else None

    def on_request_body(self, request: Request) -> None:
        request.body += b"!"

    def on_response(self, response: Response) -> None:
        response.headers["x-b"] = "1"

    def on_response_body(self, response: Response) -> None:
        response.body += b"!"


class OnlyRequest(Filter):
    def on_request(self, request: Request) -> None:
        request.response_headers["x-a"] = "1"


CHAINS = [build_chain([build_mount(cls)]) for cls in (Everything, OnlyRequest)]
REQUEST = to_map(RequestParts((), "GET", "http", "a", "/").to_lines())
STOP = to_map(RequestParts((), "GET", "http", "a", "/stop").to_lines())
RESPONSE = to_map(ResponseParts((), 200).to_lines())
HEADS = [REQUEST, STOP, RESPONSE, to_map(())]
TRAILERS = to_map((("x-t", b"1"),))

PARTS = st.one_of(
    st.tuples(
        st.sampled_from(["request_headers", "response_headers"]),
        st.fixed_dictionaries(
            {
                "headers": st.sampled_from(HEADS),
                "end_of_stream": st.booleans(),
            }
        ),
    ),
    st.tuples(
        st.sampled_from(["request_body", "response_body"]),
        st.fixed_dictionaries({"body": st.binary(max_size=3), "end_of_stream": st.booleans()}),
    ),
    st.tuples(
        st.sampled_from(["request_trailers", "response_trailers"]),
        st.fixed_dictionaries({"trailers": st.just(TRAILERS)}),
    ),
)


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """A refused order is no failure of a filter, and no line of its log."""
    logging.getLogger("meshext").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("meshext").setLevel(logging.NOTSET)


async def converse(chain: Any, parts: list[tuple[str, dict[str, Any]]]) -> None:
    session = Session(chain, build_plan(chain.needs, "proc"), NoWatch(), ())
    for phase, fields in parts:
        message = external_processor_pb2.ProcessingRequest()
        part = getattr(message, phase)
        part.SetInParent()
        part.MergeFrom(type(part)(**fields))
        try:
            raws = await session.receive(message.SerializeToString())
        except ProtocolError:
            break
        assert len(raws) == 1
        reply = external_processor_pb2.ProcessingResponse.FromString(raws[0])
        assert reply.WhichOneof("response") in (phase, "immediate_response")
        assert session.answered == (reply.WhichOneof("response") == "immediate_response")
    await session.close()


@settings(max_examples=300)
@given(st.sampled_from(CHAINS), st.lists(PARTS, max_size=7))
def test_any_order_of_messages(chain: Any, parts: list[tuple[str, dict[str, Any]]]) -> None:
    asyncio.run(converse(chain, parts))


@given(st.sampled_from(CHAINS), st.lists(PARTS, max_size=5))
def test_orders_that_begin_well(chain: Any, parts: list[tuple[str, dict[str, Any]]]) -> None:
    begin = ("request_headers", {"headers": REQUEST, "end_of_stream": False})
    asyncio.run(converse(chain, [begin, *parts]))


@given(st.binary(max_size=40))
def test_any_bytes(raw: bytes) -> None:
    chain = CHAINS[1]

    async def both() -> None:
        session = Session(chain, build_plan(chain.needs, "proc"), NoWatch(), ())
        for answer in (
            session.receive(raw),
            check(raw, (), chain=chain, plan=build_plan(chain.needs, "authz"), watch=NoWatch()),
        ):
            with suppress(ProtocolError):
                assert await answer

    asyncio.run(both())


@pytest.mark.parametrize("partial", ["true"])
def test_a_body_that_was_cut_short_is_never_decided_on(partial: str) -> None:
    class Reads(Filter):
        def on_request_body(self, request: Request) -> None:
            raise AssertionError

    chain = build_chain([build_mount(Reads)])
    message = external_auth_pb2.CheckRequest()
    http = message.attributes.request.http
    lines = RequestParts((("x-envoy-auth-partial-body", partial.encode()),), "POST", "http", "a", "/")
    http.header_map.CopyFrom(to_map(lines.to_lines()))
    plan = build_plan(chain.needs, "authz")
    with pytest.raises(ProtocolError, match="partial"):
        asyncio.run(check(message.SerializeToString(), (), chain=chain, plan=plan, watch=NoWatch()))


def test_headers_that_came_joined_are_refused() -> None:
    message = external_auth_pb2.CheckRequest()
    message.attributes.request.http.headers["x-a"] = "1,2"
    plan = build_plan(CHAINS[1].needs, "authz")
    with pytest.raises(ProtocolError, match="encode_raw_headers: true"):
        asyncio.run(check(message.SerializeToString(), (), chain=CHAINS[1], plan=plan, watch=NoWatch()))
