"""Sends HTTP exchanges through a module as Envoy does: contexts, callbacks, what is held and what goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from meshext_wasm.abi.values import Action, Buffer, HeaderMap
from meshext_wasm.host.guest import Guest
from meshext_wasm.host.header_map import HeaderLines
from meshext_wasm.host.machine import ROOT_CONTEXT
from meshext_wasm.host.pairs import Pair
from meshext_wasm.host.stream import LocalResponse, Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request or response, pseudo-headers among the lines; `pieces` are the body as it arrives.

    `ends_with_headers` says that there is no body, not even an empty one.
    """

    lines: tuple[Pair, ...]
    pieces: tuple[bytes, ...] = ()
    trailers: tuple[Pair, ...] = ()

    @property
    def ends_with_headers(self) -> bool:
        """Whether nothing follows the headers."""
        return not self.pieces and not self.trailers


@dataclass(slots=True, kw_only=True)
class Passage:
    """What became of an exchange: what the upstream got (None for nothing), what the client got.

    `held`: the request waits for ever, since the module paused it at its end. `properties` are those that the
    stream had in the end, by their path with NUL between its parts.
    """

    arrived: Message | None = None
    got: Message | None = None
    local: LocalResponse | None = None
    reset: bool = False
    held: bool = False
    properties: dict[bytes, bytes] = field(default_factory=dict)


class RefusedError(Exception):
    """The module refused its configuration."""


@dataclass(frozen=True, slots=True)
class Way:
    """Names and numbers of one direction."""

    headers: str
    body: str
    trailers: str
    map: HeaderMap
    trailer_map: HeaderMap
    buffer: Buffer


REQUEST = Way(
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_request_trailers",
    HeaderMap.REQUEST_HEADERS,
    HeaderMap.REQUEST_TRAILERS,
    Buffer.REQUEST_BODY,
)
RESPONSE = Way(
    "proxy_on_response_headers",
    "proxy_on_response_body",
    "proxy_on_response_trailers",
    HeaderMap.RESPONSE_HEADERS,
    HeaderMap.RESPONSE_TRAILERS,
    Buffer.RESPONSE_BODY,
)


@dataclass(slots=True)
class Transit:
    """One message on its way: what has left and what is held."""

    headers: HeaderLines
    left: bool = False
    sent: bytearray = field(default_factory=bytearray)
    trailers: HeaderLines | None = None
    stopped: bool = False

    def to_message(self) -> Message:
        """What has left."""
        return Message(
            lines=tuple(self.headers.lines),
            pieces=(bytes(self.sent),) if self.sent else (),
            trailers=tuple(self.trailers.lines) if self.trailers else (),
        )


class Driver:
    """One plugin configuration on one module."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.machine = guest.machine
        self._contexts = ROOT_CONTEXT

    def configure(self) -> None:
        """Start the plugin; RefusedError where it will not have its configuration."""
        size = len(self.machine.configuration)
        self._call("proxy_on_context_create", ROOT_CONTEXT, 0)
        for name, given in (("proxy_on_vm_start", 0), ("proxy_on_configure", size)):
            if self.guest.has(name) and not self._call(name, ROOT_CONTEXT, given):
                raise RefusedError("; ".join([name, *(entry.text for entry in self.machine.logs)]))

    def exchange(
        self,
        request: Message,
        answer: Callable[[Message], Message],
        *,
        prepare: Callable[[Stream], None] = lambda _: None,
    ) -> Passage:
        """One exchange; `answer` is the upstream, `prepare` may set properties."""
        self._contexts += 1
        stream = self.machine.streams[self._contexts] = Stream(self._contexts)
        prepare(stream)
        self._call("proxy_on_context_create", stream.context, ROOT_CONTEXT)
        passage = Passage()
        forth = self._pass(stream, REQUEST, request)
        passage.held = forth.stopped
        if stream.local is None and not stream.reset and not forth.stopped:
            passage.arrived = forth.to_message()
            back = self._pass(stream, RESPONSE, answer(passage.arrived))
            passage.got = back.to_message()
        if stream.local is not None:
            passage.local = stream.local
            if RESPONSE.map not in stream.kept:
                self._pass(stream, RESPONSE, to_message(stream.local))
        passage.reset = stream.reset
        self._end(stream)
        passage.properties = stream.properties
        return passage

    def _end(self, stream: Stream) -> None:
        stream.look_back()
        for name in ("proxy_on_log", "proxy_on_done", "proxy_on_delete"):
            self._call(name, stream.context)
        del self.machine.streams[stream.context]

    def _pass(self, stream: Stream, way: Way, message: Message) -> Transit:
        transit = Transit(HeaderLines(message.lines))
        local = stream.local
        stream.show(way.map, transit.headers)
        count = len(transit.headers.lines)
        action = self._callback(way.headers, stream, count, int(message.ends_with_headers))
        if self._ended(stream, local):
            return transit
        if action == Action.CONTINUE:
            stream.forget(way.map)
            self._let_headers_go(stream, way, transit)
        elif message.ends_with_headers:
            transit.stopped = True
            return transit
        self._pass_body(stream, way, transit, message, local)
        return transit

    def _pass_body(
        self, stream: Stream, way: Way, transit: Transit, message: Message, local: LocalResponse | None
    ) -> None:
        held = bytearray()
        for number, piece in enumerate(message.pieces, 1):
            end = number == len(message.pieces) and not message.trailers
            held += piece
            stream.buffers[way.buffer] = held
            action = self._callback(way.body, stream, len(held), int(end))
            if self._ended(stream, local):
                return
            if action == Action.CONTINUE:
                self._let_headers_go(stream, way, transit)
                transit.sent += held
                held = bytearray()
                stream.buffers.pop(way.buffer, None)
        if message.trailers:
            self._pass_trailers(stream, way, transit, message.trailers, local, held)
        transit.stopped = not transit.left

    def _pass_trailers(
        self,
        stream: Stream,
        way: Way,
        transit: Transit,
        lines: Sequence[Pair],
        local: LocalResponse | None,
        held: bytearray,
    ) -> None:
        transit.trailers = HeaderLines(lines)
        stream.show(way.trailer_map, transit.trailers)
        stream.buffers[way.buffer] = held
        action = self._callback(way.trailers, stream, len(transit.trailers.lines))
        if self._ended(stream, local) or action != Action.CONTINUE:
            return
        stream.forget(way.trailer_map)
        self._let_headers_go(stream, way, transit)
        transit.sent += held
        stream.buffers.pop(way.buffer, None)

    def _let_headers_go(self, stream: Stream, way: Way, transit: Transit) -> None:
        transit.left = True
        if way is RESPONSE:
            stream.response_begun = True

    def _ended(self, stream: Stream, local: LocalResponse | None) -> bool:
        return stream.local is not local or stream.reset

    def _callback(self, name: str, stream: Stream, *arguments: int) -> int:
        return self._call(name, stream.context, *arguments) if self.guest.has(name) else Action.CONTINUE

    def _call(self, name: str, context: int, *arguments: int) -> int:
        if not self.guest.has(name):
            return 0
        self.machine.context = context
        return self.guest.call(name, context, *arguments)


def to_message(local: LocalResponse) -> Message:
    """The module's own answer as it passes the module's response callbacks."""
    lines = ((b":status", str(local.status).encode()), *local.lines)
    if local.body:
        lines += ((b"content-length", str(len(local.body)).encode()),)
        if not any(name == b"content-type" for name, _ in local.lines):
            lines += ((b"content-type", b"text/plain"),)
    return Message(lines=lines, pieces=(local.body,) if local.body else ())
