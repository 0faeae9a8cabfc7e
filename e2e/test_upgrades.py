"""WebSocket through filters that decide by headers, over HTTP/1.1 and HTTP/2, and what is no WebSocket."""

from __future__ import annotations

from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest

from e2e.played import Link, PlayedUpstream, connect, request, response, status_of
from e2e.raw import PIECE, connected
from e2e.stage import Stage
from e2e.websocket import CLOSE, accept_of, frame, handshake_lines, new_key, read_frame

pytestmark = pytest.mark.envoy

MESSAGES = [b"", b"a", b"b" * 125, b"c" * 126, b"d" * 70_000, b"e" * (4 << 20)]


def switching(key: str) -> bytes:
    """The upstream's agreement."""
    lines = ("connection: Upgrade", "upgrade: websocket", f"sec-websocket-accept: {accept_of(key)}")
    return response(101, *lines)


def shake_hands(stage: Stage, upstream: PlayedUpstream, target: str) -> tuple[Link, Link, bytes]:
    """Both ends of a connection that has become a WebSocket, and the head the client got."""
    key = new_key()
    client = connect(stage.port)
    client.send(request("GET", target, *handshake_lines(key)))
    served = upstream.accept()
    head = served.head()
    assert b"x-decided: yes" in head
    assert f"sec-websocket-key: {key}".encode() in head
    served.send(switching(key))
    return client, served, client.head()


def test_a_conversation(stage: Stage, upstream: PlayedUpstream) -> None:
    """Each side speaks first once, and an answer is there before the next message is sent."""
    client, served, head = shake_hands(stage, upstream, "/chat")
    with client, served:
        assert status_of(head) == 101
        assert (b"x-watched: yes" in head) == stage.sandbox.plan.response_headers
        for message in MESSAGES:
            served.send(frame(message, masked=False))
            assert read_frame(client.take)[1] == message
            client.send(frame(message, masked=True))
            assert read_frame(served.take)[1] == message
        client.send(frame(b"\x03\xe8", opcode=CLOSE, masked=True))
        assert read_frame(served.take) == (CLOSE, b"\x03\xe8")


@pytest.mark.parametrize("who", ["client", "upstream"])
def test_either_end_ends_both(who: str, stage: Stage, upstream: PlayedUpstream) -> None:
    client, served, _ = shake_hands(stage, upstream, f"/ends/{who}")
    goes, stays = (client, served) if who == "client" else (served, client)
    goes.close()
    assert stays.ended()
    stays.close()
    if stage.sandbox.plan.mode == "proc":
        stage.logged(f"ended /ends/{who} 101")


def test_a_denied_handshake_is_denied(stage: Stage) -> None:
    with connect(stage.port) as client:
        client.send(request("GET", "/chat", *handshake_lines(new_key()), "x-deny: 1"))
        assert status_of(client.head()) == 403
        assert client.take(6) == b"denied"


def test_an_upstream_may_refuse(stage: Stage, upstream: PlayedUpstream) -> None:
    with connect(stage.port) as client:
        client.send(request("GET", "/chat", *handshake_lines(new_key())))
        with upstream.accept() as served:
            served.head()
            served.send(response(426, "content-length: 2") + b"no")
            assert status_of(client.head()) == 426
            assert client.take(2) == b"no"


@pytest.mark.parametrize("upgrade", ["tls/1.2", "websocket, tls/1.2"])
def test_other_upgrades_are_refused(upgrade: str, stage: Stage) -> None:
    """By Envoy itself, before a filter is asked."""
    with connect(stage.port) as client:
        client.send(request("GET", "/", "connection: Upgrade", f"upgrade: {upgrade}"))
        assert status_of(client.head()) == 403


def test_h2c_is_passed_over(stage: Stage, upstream: PlayedUpstream) -> None:
    """An offer of HTTP/2 in the clear does not reach the upstream, which would speak past every filter."""
    with connect(stage.port) as client:
        offer = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__")
        client.send(request("GET", "/", *offer))
        with upstream.accept() as served:
            head = served.head()
            assert b"x-decided: yes" in head
            assert b"upgrade" not in head.lower()
            assert b"http2-settings" not in head.lower()
            served.send(response(200, "content-length: 0"))
            assert status_of(client.head()) == 200


class Http2:
    """A client's connection over HTTP/2 with one stream."""

    def __init__(self, link: Any) -> None:
        self._link = link
        self._http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        self._http.initiate_connection()
        self._data = b""
        self.status = 0

    def connect(self, *lines: tuple[str, str]) -> None:
        """Send `CONNECT`, once the server has said that it takes extended ones (RFC 8441)."""
        self._flush()
        while not self._http.remote_settings.enable_connect_protocol:
            self._receive()
        self._http.send_headers(1, [(":method", "CONNECT"), (":authority", "played"), *lines])
        self._flush()

    def answer(self) -> int:
        while not self.status:
            self._receive()
        return self.status

    def send(self, data: bytes) -> None:
        self._http.send_data(1, data)
        self._flush()

    def take(self, size: int) -> bytes:
        while len(self._data) < size:
            self._receive()
        found, self._data = self._data[:size], self._data[size:]
        return found

    def _flush(self) -> None:
        self._link.sendall(self._http.data_to_send())

    def _receive(self) -> None:
        data = self._link.recv(PIECE)
        assert data, "the connection ended"
        for event in self._http.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.status = int(dict(event.headers)[b":status"])
            elif isinstance(event, h2.events.DataReceived):
                self._data += event.data
                self._http.acknowledge_received_data(event.flow_controlled_length, 1)
        self._flush()


WEBSOCKET = ((":protocol", "websocket"), (":scheme", "http"), (":path", "/h2"))


def test_websocket_over_http2(stage: Stage, upstream: PlayedUpstream) -> None:
    """RFC 8441: the filter and the upstream see the handshake of HTTP/1.1."""
    with connected(stage.port, None) as link:
        client = Http2(link)
        client.connect(*WEBSOCKET, ("sec-websocket-version", "13"))
        with upstream.accept() as served:
            head = served.head()
            assert head.startswith(b"GET /h2 HTTP/1.1\r\n")
            assert b"x-decided: yes" in head
            served.send(switching("none"))
            assert client.answer() == 200
            for message in MESSAGES[:4]:
                client.send(frame(message, masked=True))
                assert read_frame(served.take)[1] == message
                served.send(frame(message, masked=False))
                assert read_frame(client.take)[1] == message


def test_a_denied_handshake_over_http2(stage: Stage) -> None:
    with connected(stage.port, None) as link:
        client = Http2(link)
        client.connect(*WEBSOCKET, ("x-deny", "1"))
        assert client.answer() == 403


@pytest.mark.parametrize("over", ["http1", "http2"])
def test_no_tunnel_is_opened(over: str, stage: Stage) -> None:
    """A plain CONNECT has no route: a tunnel would take every filter's say away."""
    if over == "http2":
        with connected(stage.port, None) as link:
            client = Http2(link)
            client.connect()
            assert client.answer() == 404
        return
    with connect(stage.port) as plain:
        plain.send(b"CONNECT played:80 HTTP/1.1\r\nhost: played:80\r\n\r\n")
        assert status_of(plain.head()) == 404
