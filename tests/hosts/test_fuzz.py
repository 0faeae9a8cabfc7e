"""Random messages over real gRPC: one answer for each, or an error that refuses; never a crash.

`MESHEXT_FUZZ=100000 pytest tests/hosts/test_fuzz.py` tries more. INTERNAL would be an exception of ours that
nobody foresaw, so it is a failure here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshext import Filter, Request, Respond, Response
from meshext.http.exchange import Exchange
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2
from meshext_proto.google.protobuf import struct_pb2
from tests.hosts.forging import Background, Forger, build, forging

EXAMPLES = int(os.environ.get("MESHEXT_FUZZ", "300"))
fuzz = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))

ATTRIBUTES = ("request.path", "request.size", "request.query", "source.port", "xds.virtual_host_name")
PHASES = (
    "request_headers",
    "request_body",
    "request_trailers",
    "response_headers",
    "response_body",
    "response_trailers",
)


class Chaos(Filter):
    """Reads everything there is, and writes what headers tell it to."""

    attributes = ATTRIBUTES
    metadata_namespaces = ("n",)
    max_body = 1000

    def _request(self, request: Request) -> Respond | None:
        read = [request.method, request.scheme, request.host, request.hostname, request.target, request.path]
        read += [request.id, request.client_address, request.route, request.cluster, request.peer.address]
        assert all(isinstance(each, str) for each in read)
        for name, value in [*request.headers.items(), *request.trailers.items()]:
            assert isinstance(name + value, str)
        dict(request.query)
        request.cookies.get("a")
        [request.attribute(name) for name in ATTRIBUTES]
        repr(dict(request.metadata["n"]))
        return self._act(request, request)

    def _act(self, request: Request, message: Any) -> Respond | None:
        what = request.headers.get("x-do", "")
        if "write" in what:
            for name, value in message.headers.items():
                message.headers.add(f"x-{len(name)}", value)
            del message.headers["a"]
        if "path" in what:
            request.target = "/new?a=b"
        if "query" in what:
            request.query["a"] = "\udcff&"
        if "raise" in what:
            raise ValueError(what)
        if "response" in what:
            request.response_headers["x-added"] = "1"
        if "metadata" in what:
            request.set_metadata("a", {"b": [1, 2.5, None, True, what]})
        if "body" in what:
            message.body = message.body + b"!"
        return Respond(400, headers={"x-a": "b"}, body="no", details="d") if "stop" in what else None

    def on_request(self, request: Request) -> Respond | None:
        return self._request(request)

    def on_request_body(self, request: Request) -> Respond | None:
        return self._request(request)

    def on_request_trailers(self, request: Request) -> Respond | None:
        return self._request(request)

    def on_response(self, response: Response) -> Respond | None:
        return self._act(response.request, response)

    def on_response_body(self, response: Response) -> Respond | None:
        return self._act(response.request, response)

    def on_response_trailers(self, response: Response) -> Respond | None:
        return self._act(response.request, response)

    def on_complete(self, exchange: Exchange) -> None:
        assert exchange.duration >= 0


class ChaosOnRequest(Filter):
    attributes = ("request.path", "request.size", "request.query", "source.port")
    metadata_namespaces = ("n",)

    def on_request(self, request: Request) -> Respond | None:
        dict(request.query)
        repr(dict(request.metadata["n"]))
        [request.attribute(name) for name in self.attributes]
        return Chaos._act(self, request, request)  # type: ignore[arg-type]  # it uses nothing of itself


class Careful(Filter):
    """Stands behind the other, so that there is a chain."""

    failure = "open"

    async def on_request(self, request: Request) -> None:
        await asyncio.sleep(0)
        if "careful" in request.headers.get("x-do", ""):
            raise KeyError("careful")

    async def on_response(self, response: Response) -> None:
        response.headers["x-careful"] = "1"


names = st.one_of(
    st.sampled_from(
        ":method :path :scheme :authority :status :protocol :odd a A x-do host cookie content-length "
        "content-type x-request-id transfer-encoding te".split()
    ),
    st.text(max_size=8),
)
verbs = st.lists(
    st.sampled_from("write path query raise response metadata body stop careful".split()), max_size=3
).map(lambda chosen: " ".join(chosen).encode())
values = st.one_of(
    st.sampled_from(
        [b"", b"GET", b"CONNECT", b"/", b"*", b"/x?a=b&c", b"200", b"0", b"abc", b"-1", b"1" * 99]
    ),
    verbs,
    st.binary(max_size=12),
)
lines = st.lists(st.tuples(names, values), max_size=8)
ordinary = verbs.map(
    lambda do: [
        (":method", b"GET"),
        (":path", b"/x?a=b"),
        (":authority", b"a.test"),
        (":scheme", b"http"),
        ("x-do", do),
        ("a", b"\xff"),
    ]
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
structs = st.dictionaries(
    st.one_of(st.sampled_from(ATTRIBUTES), st.text(max_size=5)), json_values, max_size=4
)


def to_struct(data: dict[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(data)
    return struct


@st.composite
def messages(draw: st.DrawFn, phase: str | None = None) -> bytes:
    """A ProcessingRequest: mostly sensible, sometimes broken."""
    phase = phase or draw(st.sampled_from(PHASES))
    end = draw(st.booleans())
    if phase.endswith("body"):
        data = draw(st.one_of(st.binary(max_size=20), st.integers(995, 1005).map(lambda size: b"x" * size)))
        message = build(phase, body=data, end=end)
    else:
        given_lines = draw(st.one_of(ordinary, lines) if phase == "request_headers" else lines)
        message = build(phase, given_lines, end=end)
    if draw(st.booleans()):
        key = draw(st.sampled_from(["envoy.filters.http.ext_proc", "other"]))
        message.attributes[key].CopyFrom(to_struct(draw(structs)))
    if draw(st.booleans()):
        space = draw(st.sampled_from(["n", "other", ""]))
        message.metadata_context.filter_metadata[space].CopyFrom(to_struct(draw(structs)))
    raw: bytes = message.SerializeToString()
    return raw if draw(st.integers(0, 15)) else draw(broken(raw))


@st.composite
def broken(draw: st.DrawFn, raw: bytes) -> bytes:
    """A message that was cut, or in which bytes were changed."""
    if draw(st.booleans()) or not raw:
        return draw(st.one_of(st.binary(max_size=30), st.just(raw[: draw(st.integers(0, len(raw)))])))
    changed = bytearray(raw)
    for _ in range(draw(st.integers(1, 4))):
        changed[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    return bytes(changed)


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """A stream: any order, or the order of an exchange with parts left out."""
    if draw(st.booleans()):
        return draw(st.lists(messages(), max_size=7))
    times = {phase: draw(st.integers(0, 3 if phase.endswith("body") else 1)) for phase in PHASES}
    return [draw(messages(phase)) for phase in PHASES for _ in range(times[phase])]


@st.composite
def checks(draw: st.DrawFn) -> bytes:
    """A CheckRequest."""
    request = external_auth_pb2.CheckRequest()
    http = request.attributes.request.http
    for name, value in draw(st.one_of(ordinary, lines)):
        http.header_map.headers.add(key=name, raw_value=value)
    http.raw_body = draw(st.binary(max_size=8))
    http.path = draw(st.text(max_size=5))
    space = draw(st.sampled_from(["n", "other"]))
    request.attributes.metadata_context.filter_metadata[space].CopyFrom(to_struct(draw(structs)))
    raw: bytes = request.SerializeToString()
    return raw if draw(st.integers(0, 9)) else draw(broken(raw))


@pytest.fixture(scope="module")
def background() -> Iterator[Background]:
    background = Background()
    yield background
    background.close()


@pytest.fixture(scope="module")
def forger(background: Background) -> Iterator[Forger]:
    yield from held(background, Chaos, Careful)


@pytest.fixture(scope="module")
def checker(background: Background) -> Iterator[Forger]:
    yield from held(background, ChaosOnRequest)


def held(background: Background, *filters: type[Filter]) -> Iterator[Forger]:
    """A forger that lives on the background's loop; at its end no task may be left."""
    context = forging(*filters)
    forger = background.run(context.__aenter__())
    yield forger
    assert background.run(forger.is_well())
    background.run(context.__aexit__(None, None, None))


@fuzz
@given(stream=streams())
def test_streams(background: Background, forger: Forger, stream: list[bytes]) -> None:
    ended = background.run(forger.play(stream))
    assert ended.status in ("OK", "FAILED_PRECONDITION")
    stopped = "immediate_response" in ended.phases
    assert ended.phases.count("immediate_response") <= 1
    if ended.status == "OK" and not stopped:
        assert len(ended.answers) == len(stream)
    for answer in ended.answers:
        assert answer.WhichOneof("response") is not None


@fuzz
@given(raw=checks())
def test_checks(background: Background, checker: Forger, raw: bytes) -> None:
    status, reply = background.run(checker.check(raw))
    assert status in ("OK", "FAILED_PRECONDITION")
    if status == "OK":
        assert reply.WhichOneof("http_response") is not None
        assert (reply.status.code == 0) == (reply.WhichOneof("http_response") == "ok_response")


@settings(fuzz, max_examples=max(EXAMPLES // 10, 10))
@given(crowd=st.lists(st.tuples(streams(), st.booleans(), st.integers(0, 4)), min_size=2, max_size=8))
def test_streams_side_by_side(
    background: Background, forger: Forger, crowd: list[tuple[list[bytes], bool, int]]
) -> None:
    """Some are cancelled on the way; the others do not notice."""

    async def cancelled(stream: list[bytes], after: int) -> None:
        call = forger.open()
        for message in stream[:after]:
            if call.done():
                break
            await call.write(message)
        call.cancel()

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(
            *(cancelled(stream, after) if cut else forger.play(stream) for stream, cut, after in crowd),
            return_exceptions=True,
        )

    results = background.run(all_of_them())
    for (_, cut, _), result in zip(crowd, results, strict=True):
        assert cut or result.status in ("OK", "FAILED_PRECONDITION")
