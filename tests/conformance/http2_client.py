"""A client over HTTP/2 without TLS (prior knowledge), for what HTTP/1.1 has no words for."""

from __future__ import annotations

import socket

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, StreamReset, TrailersReceived

from meshext.http.headers import Headers
from meshext.http.legal import encode
from tests.conformance.case import Got, Send
from tests.conformance.client import DEADLINE

STREAM = 1
RawLines = list[tuple[bytes, bytes]]


def exchange_http2(port: int, send: Send) -> Got:
    """One request on a connection of its own; no length is announced."""
    http = H2Connection(H2Configuration(header_encoding=False))
    reader = Reader()
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as link:
        http.initiate_connection()
        end = not send.body and not send.trailers
        http.send_headers(STREAM, head(send), end_stream=end)
        writer = Writer(http, send)
        while not reader.over:
            writer.go_on()
            link.sendall(http.data_to_send())
            data = link.recv(65536)
            if not data:
                reader.reset = True
                break
            for event in http.receive_data(data):
                reader.take(event, http)
        link.sendall(http.data_to_send())
    return reader.result()


class Writer:
    """What is still to be sent of a request: as much at once as the windows have room for."""

    def __init__(self, http: H2Connection, send: Send) -> None:
        self._http = http
        self._body = memoryview(send.body)
        self._trailers = raw(send.trailers)

    def go_on(self) -> None:
        http = self._http
        while self._body and (
            room := min(http.local_flow_control_window(STREAM), http.max_outbound_frame_size)
        ):
            piece, self._body = bytes(self._body[:room]), self._body[room:]
            http.send_data(STREAM, piece, end_stream=not self._body and not self._trailers)
        if self._trailers and not self._body:
            http.send_headers(STREAM, self._trailers, end_stream=True)
            self._trailers = []


class Reader:
    """What came back on the stream."""

    def __init__(self) -> None:
        self.over = False
        self.reset = False
        self._lines: RawLines = []
        self._trailers: RawLines = []
        self._body = b""

    def take(self, event: Event, http: H2Connection) -> None:
        if isinstance(event, ResponseReceived):
            self._lines = [(bytes(name), bytes(value)) for name, value in event.headers or ()]
        elif isinstance(event, TrailersReceived):
            self._trailers = [(bytes(name), bytes(value)) for name, value in event.headers or ()]
        elif isinstance(event, DataReceived):
            self._body += event.data or b""
            http.acknowledge_received_data(event.flow_controlled_length or 0, STREAM)
        elif isinstance(event, StreamReset):
            self.reset = self.over = True
        elif isinstance(event, StreamEnded):
            self.over = True

    def result(self) -> Got:
        status = next((value for name, value in self._lines if name == b":status"), b"0")
        return Got(
            status=int(status),
            headers=to_headers(self._lines),
            body=self._body,
            trailers=to_headers(self._trailers),
            reset=self.reset,
        )


def head(send: Send) -> RawLines:
    pseudo = [
        (":method", send.method),
        (":scheme", "http"),
        (":authority", send.host),
        (":path", send.target),
    ]
    return raw(pseudo) + raw(send.headers)


def raw(pairs: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> RawLines:
    return [(name.lower().encode("ascii"), encode(value)) for name, value in pairs]


def to_headers(lines: RawLines) -> Headers:
    named = ((name.decode("ascii"), value) for name, value in lines)
    return Headers.from_lines(tuple(line for line in named if not line[0].startswith(":")))
