"""Streams that no Envoy of ours would send: each ends as a gRPC error, and harms no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from meshext import Filter, Request, Respond, Response
from meshext.hosts.server import CANCELLED_INSIDE, LEAST_MESSAGE
from meshext.http.exchange import Exchange
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2
from meshext_proto.google.protobuf import struct_pb2
from tests.hosts.forging import (
    DEADLINE,
    REQUEST,
    Forger,
    body,
    build,
    forging,
    headers,
    response_body,
    response_headers,
    response_trailers,
    settled,
    trailers,
)

completed: list[str] = []
waiting: list[str] = []


class Everything(Filter):
    """Every hook; `x-stop` says which one answers, `x-wait` and `x-cancel` which one waits for ever.

    The latter cancels the service's own tasks before, as no filter should.
    """

    time_limit = 60.0

    async def _do(self, hook: str, request: Request) -> Respond | None:
        if request.headers.get("x-cancel") == hook:
            cancel_exchanges()
        if hook in (request.headers.get("x-wait"), request.headers.get("x-cancel")):
            waiting.append(hook)
            try:
                await asyncio.Event().wait()
            finally:
                waiting.remove(hook)
        return Respond(418, body=hook) if request.headers.get("x-stop") == hook else None

    async def on_request(self, request: Request) -> Respond | None:
        request.headers["x-seen"] = "1"
        return await self._do("request", request)

    async def on_request_body(self, request: Request) -> Respond | None:
        return await self._do("request_body", request)

    async def on_request_trailers(self, request: Request) -> Respond | None:
        return await self._do("request_trailers", request)

    async def on_response(self, response: Response) -> Respond | None:
        return await self._do("response", response.request)

    async def on_response_body(self, response: Response) -> Respond | None:
        return await self._do("response_body", response.request)

    async def on_response_trailers(self, response: Response) -> Respond | None:
        return await self._do("response_trailers", response.request)

    async def on_complete(self, exchange: Exchange) -> None:
        completed.append(exchange.request.path)


def cancel_exchanges() -> None:
    """Cancel every exchange that is open in this process."""
    for task in asyncio.all_tasks():
        if "_handle_exceptions" in repr(task):  # grpcio's, around a handler
            task.cancel()


class Guard(Filter):
    async def on_request(self, request: Request) -> Respond | None:
        if "x-cancel" in request.headers:
            cancel_exchanges()
            await asyncio.Event().wait()
        request.headers["x-seen"] = request.path
        return Respond(403) if request.path == "/stop" else None


class Reads(Filter):
    """Metadata that nobody declared is not looked at."""

    metadata_namespaces = ("n",)

    def on_request(self, request: Request) -> Respond | None:
        found = dict(request.metadata["n"])
        return Respond(200, body=repr(found)) if found else None


def play(work: Callable[[Forger], Awaitable[object]], *filters: type[Filter]) -> None:
    """Do something to a service of its own, which is well afterwards and has no task left over."""
    completed.clear()

    async def run() -> None:
        async with forging(*(filters or (Everything,))) as forger:
            assert await forger.is_well()
            tasks = len(asyncio.all_tasks())
            completed.clear()
            await work(forger)
            await settled(tasks)
            assert await forger.is_well()

    asyncio.run(run())


WHOLE = [
    headers(end=False),
    body(end=False),
    trailers(),
    response_headers(),
    response_body(end=False),
    response_trailers(),
]
LEGAL = {
    "all phases": WHOLE,
    "headers alone": [headers()],
    "nothing at all": [],
    "response alone": [response_headers(end=True)],
    "response before the request's body": [
        headers(end=False),
        response_headers(),
        response_body(),
        body(),
    ],
    "trailers without body": [headers(end=False), trailers(), response_headers(), response_trailers()],
}


@pytest.mark.parametrize("name", LEGAL)
def test_legal_order(name: str) -> None:
    async def work(forger: Forger) -> None:
        ended = await forger.play(LEGAL[name])
        assert ended.status == "OK"
        assert len(ended.answers) == len(LEGAL[name])

    play(work)


ILLEGAL = {
    "body first": [body()],
    "trailers first": [trailers()],
    "response body first": [response_body()],
    "response trailers first": [response_trailers()],
    "headers twice": [headers(end=False), headers(end=False)],
    "headers twice, ended": [headers(), headers()],
    "body after the end": [headers(), body()],
    "trailers after the end": [headers(), trailers()],
    "body twice": [headers(end=False), body(), body()],
    "body twice, open": [headers(end=False), body(end=False), body()],
    "body after trailers": [headers(end=False), trailers(), body()],
    "trailers twice": [headers(end=False), trailers(), trailers()],
    "headers after trailers": [headers(end=False), trailers(), headers()],
    "response headers twice": [headers(), response_headers(), response_headers()],
    "response body after the end": [headers(), response_headers(end=True), response_body()],
    "response body twice": [headers(), response_headers(), response_body(), response_body()],
    "response headers after trailers": [
        headers(),
        response_headers(),
        response_trailers(),
        response_headers(),
    ],
    "request after a lone response": [response_headers(end=True), headers(), headers()],
    "empty message": [b""],
    "empty message later": [headers(end=False), b""],
    "only attributes": [b"\x4a\x00"],
    "garbage": [b"\xff\xff\xff\xff"],
    "garbage later": [headers(end=False), b"\x00\x01\x02"],
    "text": [b"GET / HTTP/1.1\r\n\r\n"],
    "cut short": [headers()[:-3]],
    "trailing garbage": [headers() + b"\xff"],
    "name that is no UTF-8": [headers().replace(b"x-request-id", b"\xff-request-id")],
    "huge": [body(b"x" * LEAST_MESSAGE)],
    "huge later": [headers(end=False), body(b"x" * LEAST_MESSAGE)],
    "deep metadata": [b"\x42" + b"\x00" * 3 + b"\x42" * 200],
}


@pytest.mark.parametrize("name", ILLEGAL)
def test_illegal_order_is_a_grpc_error(name: str) -> None:
    """Never OK: Envoy takes that for permission."""

    async def work(forger: Forger) -> None:
        messages = ILLEGAL[name]
        ended = await forger.play(messages)
        assert ended.status in ("FAILED_PRECONDITION", "RESOURCE_EXHAUSTED")
        assert len(ended.answers) == len(messages) - 1

    play(work)


@pytest.mark.parametrize("depth", [10, 31, 40, 90, 200, 5000])
def test_nested_metadata(depth: int) -> None:
    """Refused where it is deeper than reason, without a crash."""
    value = b""
    for _ in range(depth):
        inner = b"\x32" + varint(len(value)) + value  # Value.list_value
        value = b"\x0a" + varint(len(inner)) + inner  # ListValue.values
    holder = b"\x32" + varint(len(value)) + value
    entry = b"\x0a\x01k\x12" + varint(len(holder)) + holder
    struct = b"\x0a" + varint(len(entry)) + entry
    space = b"\x0a\x01n\x12" + varint(len(struct)) + struct
    metadata = b"\x0a" + varint(len(space)) + space
    raw = headers() + b"\x42" + varint(len(metadata)) + metadata  # ProcessingRequest.metadata_context

    async def work(forger: Forger) -> None:
        ended = await forger.play([raw])
        assert ended.status == ("OK" if depth < 32 else "FAILED_PRECONDITION")

    play(work, Reads)


def varint(number: int) -> bytes:
    """A length as protobuf writes it."""
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


STOPS = ("request", "request_body", "request_trailers", "response", "response_body", "response_trailers")


@pytest.mark.parametrize("at", range(5))
def test_messages_after_an_answer_are_swallowed(at: int) -> None:
    """They were on their way already; the stream stays quiet and ends well."""

    async def work(forger: Forger) -> None:
        stream = forger.open()
        for message in [headers(end=False, x_stop=STOPS[at]), *WHOLE[1:]]:
            await stream.write(message)
        await stream.done_writing()
        answers = []
        while (raw := await asyncio.wait_for(stream.read(), DEADLINE)) is not grpc.aio.EOF:
            answers.append(raw)
        assert len(answers) == at + 1
        assert (await stream.code()).name == "OK"

    play(work)


def test_all_at_once_is_answered_in_order() -> None:
    async def work(forger: Forger) -> None:
        stream = forger.open()
        for message in WHOLE:
            await stream.write(message)
        await stream.done_writing()
        answers = []
        while (raw := await asyncio.wait_for(stream.read(), DEADLINE)) is not grpc.aio.EOF:
            answers.append(raw)
        assert len(answers) == len(WHOLE)
        assert (await stream.code()).name == "OK"

    play(work)


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("how", ["cancel", "cancel in the hook", "half-close in the hook"])
def test_end_at_every_phase(how: str, at: int) -> None:
    """The hook ends, `on_complete` runs once, and nothing is answered OK that was not decided."""

    async def work(forger: Forger) -> None:
        stream = forger.open()
        hang: dict[str, Any] = {} if how == "cancel" else {"x_wait": STOPS[at]}
        for number, message in enumerate([headers(end=False, **hang), *WHOLE[1:]][: at + 1]):
            await stream.write(message)
            if number < at or how == "cancel":
                assert await asyncio.wait_for(stream.read(), DEADLINE) is not grpc.aio.EOF
        if hang:
            await until(lambda: waiting == [STOPS[at]])
        if how.startswith("half-close"):
            await stream.done_writing()
            reading = asyncio.ensure_future(stream.read())
            assert not (await asyncio.wait({reading}, timeout=0.05))[0]
        stream.cancel()
        await until(lambda: (completed, waiting) == (["/x"], []))

    play(work)


@pytest.mark.parametrize("at", range(6))
def test_an_exchange_that_is_cancelled_inside_is_not_asked_again(
    at: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Envoy asks again after CANCELLED: hooks that have begun would run twice."""

    async def work(forger: Forger) -> None:
        messages = [headers(end=False, x_cancel=STOPS[at]), *WHOLE[1:]][: at + 1]
        ended = await forger.play(messages)
        assert (ended.status, len(ended.answers)) == ("ABORTED", at)
        await until(lambda: (completed, waiting) == (["/x"], []))

    play(work)
    assert [each.message for each in caplog.records] == [CANCELLED_INSIDE]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110  # nobody tells when it holds
            await asyncio.sleep(0.005)


def test_many_cancelled_streams_leave_nothing() -> None:
    async def work(forger: Forger) -> None:
        async def one(number: int) -> None:
            stream = forger.open()
            await stream.write(headers(end=False, x_wait="request" if number % 2 else "response"))
            if number % 3:
                await until(lambda: len(waiting) > 0)
            stream.cancel()

        await asyncio.gather(*(one(number) for number in range(300)))
        await until(lambda: not waiting)

    play(work)


def test_half_close_before_anything_is_quiet() -> None:
    async def work(forger: Forger) -> None:
        assert (await forger.play([])).status == "OK"
        assert completed == []

    play(work)


class TestCheck:
    def test_good(self) -> None:
        async def work(forger: Forger) -> None:
            status, reply = await forger.check(check_request())
            assert (status, reply.WhichOneof("http_response")) == ("OK", "ok_response")
            status, reply = await forger.check(check_request(path=b"/stop"))
            assert (status, reply.denied_response.status.code) == ("OK", 403)

        play(work, Guard)

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"\xff\xff\xff",
            b"text",
            external_auth_pb2.CheckRequest(attributes={}).SerializeToString(),
        ],
        ids=repr,
    )
    def test_bad_is_a_grpc_error(self, raw: bytes) -> None:
        async def work(forger: Forger) -> None:
            assert (await forger.check(raw))[0] == "FAILED_PRECONDITION"

        play(work, Guard)

    def test_cancelled_inside_is_not_asked_again(self, caplog: pytest.LogCaptureFixture) -> None:
        async def work(forger: Forger) -> None:
            assert (await forger.check(check_request(x_cancel=b"1")))[0] == "ABORTED"

        play(work, Guard)
        assert [each.message for each in caplog.records] == [CANCELLED_INSIDE]

    def test_huge_is_a_grpc_error(self) -> None:
        async def work(forger: Forger) -> None:
            raw = check_request(x_large=b"x" * LEAST_MESSAGE)
            assert (await forger.check(raw))[0] == "RESOURCE_EXHAUSTED"

        play(work, Guard)

    def test_joined_headers_are_refused(self) -> None:
        """Without encode_raw_headers repeated headers come joined, and a policy could be misled."""

        async def work(forger: Forger) -> None:
            request = external_auth_pb2.CheckRequest()
            request.attributes.request.http.headers["x-role"] = "user,admin"
            request.attributes.request.http.path = "/x"
            assert (await forger.check(request.SerializeToString()))[0] == "FAILED_PRECONDITION"

        play(work, Guard)

    def test_filter_that_needs_the_response_is_refused_by_name(self) -> None:
        async def work(forger: Forger) -> None:
            assert (await forger.check(check_request()))[0] == "UNIMPLEMENTED"

        play(work)

    def test_written_path_that_is_not_text_is_the_filters_failure(self) -> None:
        """ext_authz carries what is written as UTF-8 text, and the client may have put other bytes there."""

        class Asks(Filter):
            def on_request(self, request: Request) -> None:
                request.query["a"] = "b"

        async def work(forger: Forger) -> None:
            status, reply = await forger.check(check_request(path=b"/\xff"))
            assert (status, reply.denied_response.status.code) == ("OK", 500)

        play(work, Asks)

    def test_partial_body_is_refused(self) -> None:
        class Body(Filter):
            def on_request_body(self, request: Request) -> None:
                pass

        async def work(forger: Forger) -> None:
            raw = check_request(x_envoy_auth_partial_body=b"true")
            assert (await forger.check(raw))[0] == "FAILED_PRECONDITION"

        play(work, Body)


def check_request(path: bytes = b"/x", **more: bytes) -> bytes:
    request = external_auth_pb2.CheckRequest()
    lines = [(name, path if name == ":path" else value) for name, value in REQUEST]
    for name, value in [*lines, *((key.replace("_", "-"), value) for key, value in more.items())]:
        request.attributes.request.http.header_map.headers.add(key=name, raw_value=value)
    return request.SerializeToString()


def test_unknown_method_is_unimplemented() -> None:
    async def work(forger: Forger) -> None:
        for method in (
            "/envoy.service.auth.v2.Authorization/Check",
            "/a/b",
            "/envoy.service.ext_proc.v3/Process",
        ):
            call: Any = forger.channel.unary_unary(method)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(b"", timeout=DEADLINE)
            assert caught.value.code().name == "UNIMPLEMENTED"

    play(work)


def test_health_names_what_is_served() -> None:
    async def work(forger: Forger) -> None:
        stub: Any = health_pb2_grpc.HealthStub(forger.channel)
        authz = "envoy.service.auth.v3.Authorization"
        expected = {"": 1, "envoy.service.ext_proc.v3.ExternalProcessor": 1, authz: 2}
        for name, status in expected.items():
            reply = await stub.Check(health_pb2.HealthCheckRequest(service=name))
            assert reply.status == status

    play(work)


def test_odd_numbers_in_metadata_are_read(caplog: pytest.LogCaptureFixture) -> None:
    """NaN and infinity are legal doubles on the wire."""
    message = build("request_headers", REQUEST, end=True)
    struct = struct_pb2.Struct()
    for name, number in {"nan": float("nan"), "inf": float("inf"), "big": 1e300, "whole": 3.0}.items():
        struct.fields[name].number_value = number
    message.metadata_context.filter_metadata["n"].CopyFrom(struct)

    async def work(forger: Forger) -> None:
        ended = await forger.play([message.SerializeToString()])
        assert ended.phases == ["immediate_response"]
        text = ended.answers[0].immediate_response.body.decode()
        assert "nan" in text
        assert "'whole': 3" in text

    play(work, Reads)
