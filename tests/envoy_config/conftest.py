"""Plans, and a real Envoy between an echo upstream and a service that writes down what it is sent."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import grpc.aio
import h2.connection
import h2.events
import pytest

from meshext.envoy.bootstrap import LISTENER, Gateway, build_bootstrap
from meshext.envoy.echo import EchoServer
from meshext.envoy.emit import to_json
from meshext.envoy.logs import OUTPUT, LogLine
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.service_cluster import Backend
from meshext.envoy.upstreams import UnixAddress, Upstream, parse_upstream
from meshext.plan import Plan

PLAN = Plan(
    mode="authz",
    filters=("demo",),
    request_body="",
    request_trailers=False,
    response_headers=False,
    response_body="",
    response_trailers=False,
    attributes=(),
    metadata_namespaces=(),
    written_namespaces=("meshext.demo",),
    max_body=1_048_576,
    timeout=5.0,
    failure="closed",
)


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    return lambda **changes: replace(PLAN, **changes)


class Probe(grpc.GenericRpcHandler):
    """An ext_authz and ext_proc service that allows everything but `/deny`, and keeps what it saw."""

    def __init__(self) -> None:
        self.metadata: dict[str, str | bytes] = {}
        self.bodies: list[int] = []
        self.attributes: dict[str, Any] = {}
        self.metadata_context: dict[str, Any] = {}

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        method = handler_call_details.method or ""
        if method.endswith("/Check"):
            return grpc.unary_unary_rpc_method_handler(self._check)
        return grpc.stream_stream_rpc_method_handler(self._process)

    async def _check(self, data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        from google.protobuf.json_format import MessageToDict

        from meshext_proto.envoy.service.auth.v3 import external_auth_pb2 as auth
        from meshext_proto.envoy.type.v3.http_status_pb2 import Forbidden

        self.metadata = dict(context.invocation_metadata() or ())
        attributes = auth.CheckRequest.FromString(data).attributes
        for values in attributes.metadata_context.filter_metadata.values():
            self.metadata_context |= MessageToDict(values)
        request = attributes.request.http
        self.bodies.append(len(request.raw_body))
        answer = auth.CheckResponse()
        answer.dynamic_metadata.update({"meshext.demo": {"user": "ada"}})
        if request.path == "/deny":
            answer.status.code = 7
            answer.denied_response.status.code = Forbidden
        return answer.SerializeToString()

    async def _process(
        self, stream: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
    ) -> AsyncIterator[bytes]:
        from google.protobuf.json_format import MessageToDict

        from meshext_proto.envoy.service.ext_proc.v3 import external_processor_pb2 as proc

        self.metadata = dict(context.invocation_metadata() or ())
        async for data in stream:
            request = proc.ProcessingRequest.FromString(data)
            phase = request.WhichOneof("request")
            for name, values in request.attributes.items():
                self.attributes |= MessageToDict(values) if name == "envoy.filters.http.ext_proc" else {}
            if phase == "request_body":
                self.bodies.append(len(request.request_body.body))
            answer = proc.ProcessingResponse()
            getattr(answer, phase).SetInParent()
            if phase == "request_headers":
                answer.dynamic_metadata.update({"meshext.demo": {"user": "ada"}})
            yield answer.SerializeToString()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client got."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Lab:
    """A running Envoy and what stands around it."""

    envoy: EnvoyProcess
    probe: Probe
    log: list[LogLine]

    async def ask(
        self,
        path: str = "/",
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes = b"",
    ) -> Answer:
        """One HTTP/1.1 request."""
        return await asyncio.to_thread(self._ask, method, path, body, headers or {})

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.envoy.port(LISTENER), timeout=10)
        try:
            connection.request(method, path, body or None, dict(headers))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    async def post_http2(self, path: str, body: bytes) -> int:
        """One request over HTTP/2 without TLS; the status of the answer."""
        return await asyncio.to_thread(post_http2, self.envoy.port(LISTENER), path, body)

    async def access_log(self, count: int = 1) -> list[dict[str, Any]]:
        """The lines of the access log, once there are as many."""
        await self.envoy.stop()
        lines = [line.message for line in self.log if line.component == OUTPUT]
        assert len(lines) == count
        return [json.loads(line) for line in lines]


def post_http2(port: int, path: str, body: bytes) -> int:
    client = h2.connection.H2Connection()
    client.initiate_connection()
    headers = {":method": "POST", ":path": path, ":authority": "a", ":scheme": "http"}
    client.send_headers(1, list(headers.items()))
    rest = memoryview(body)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        while True:
            while rest and (room := min(client.local_flow_control_window(1), 16_384)):
                piece, rest = rest[:room], rest[room:]
                client.send_data(1, piece.tobytes(), end_stream=not rest)
            connection.sendall(client.data_to_send())
            for event in client.receive_data(connection.recv(65_536)):
                if isinstance(event, h2.events.ResponseReceived):
                    return int(dict(event.headers)[b":status"])


@asynccontextmanager
async def run_lab(
    plan: Plan | None = None, *, names: tuple[str, ...] = ("one",), **parts: Any
) -> AsyncIterator[Lab]:
    probe = Probe()
    log: list[LogLine] = []
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="mx-")))
        server = grpc.aio.server(options=[("grpc.max_receive_message_length", 64 << 20)])
        server.add_generic_rpc_handlers((probe,))
        server.add_insecure_port(f"unix:{directory}/service.sock")
        await server.start()
        stack.push_async_callback(server.stop, None)
        gateway = Gateway(
            plan=plan,
            service=Backend(addresses=(UnixAddress(f"{directory}/service.sock"),)) if plan else None,
            upstreams=tuple([await _start_echo(stack, name) for name in names]),
            admin=directory / "admin.sock",
            **parts,
        )
        envoy = await EnvoyProcess.start(
            to_json(build_bootstrap(gateway)),
            directory / "envoy",
            concurrency=1,
            on_log=log.append,
        )
        stack.push_async_callback(envoy.stop)
        yield Lab(envoy, probe, log)


async def _start_echo(stack: AsyncExitStack, name: str) -> Upstream:
    echo = await stack.enter_async_context(EchoServer(name))
    return replace(parse_upstream(f"{name}={await echo.start()}"), grpc=False)


@pytest.fixture
def in_lab() -> Callable[..., None]:
    """`in_lab(steps, plan, ...)` runs `await steps(lab)` with everything up."""

    def run(steps: Callable[[Lab], Awaitable[None]], plan: Plan | None = None, **parts: Any) -> None:
        async def main() -> None:
            async with run_lab(plan, **parts) as lab:
                await steps(lab)

        asyncio.run(main())

    return run
