"""Bodies under way with hooks on them: piece by piece, past them, through upgrades, and never hanging."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from e2e.played import Link, PlayedUpstream, connect, playing, request, response, status_of
from e2e.stage import Stage, staged
from e2e.websocket import handshake_lines, new_key
from meshext.plan import Mode

pytestmark = pytest.mark.envoy

CHUNKED = "transfer-encoding: chunked"
SWITCHING = ("connection: Upgrade", "upgrade: websocket")


@contextmanager
def flowing(*specs: str, mode: Mode = "proc") -> Iterator[tuple[Stage, PlayedUpstream]]:
    with playing(*(f"flowing.py:{spec}" for spec in specs), mode=mode) as found:
        yield found


@pytest.mark.parametrize("spec", ["Upper", "UpperDuplex"])
def test_each_piece_goes_on_before_the_next_one_comes(spec: str) -> None:
    """Both ways at once, and the response may begin before the request has ended."""
    with flowing(spec) as (stage, upstream), connect(stage.port) as client:
        client.send(request("POST", "/", CHUNKED))
        with upstream.accept() as served:
            served.head()
            served.send(response(200, CHUNKED))
            assert status_of(client.head()) == 200
            for number in range(50):
                client.chunk(b"piece %d" % number)
                assert served.next_chunk() == b"PIECE %d" % number
                served.chunk(b"seen %d" % number)
                assert client.next_chunk() == b"SEEN %d" % number
            client.chunk(b"")
            assert served.next_chunk() == b""
            served.chunk(b"")
            assert client.next_chunk() == b""


def test_what_is_held_back_is_merged_and_split() -> None:
    with flowing("Lines") as (stage, upstream), connect(stage.port) as client:
        client.send(request())
        with upstream.accept() as served:
            served.head()
            served.send(response(200, CHUNKED))
            served.chunk(b"one")
            served.chunk(b" two\nthr")
            assert status_of(client.head()) == 200
            assert client.next_chunk() == b"one two\n"
            served.chunk(b"ee\nfour")
            assert client.next_chunk() == b"three\n"
            served.chunk(b"")
            assert client.next_chunk() == b"four"
            assert client.next_chunk() == b""


def test_no_chunk_hangs_although_envoy_keeps_no_time() -> None:
    """In full duplex Envoy never gives up; a hook that swallows the time limit costs the worker."""
    with flowing("Hangs") as (stage, _):
        for how in ("sleep", "spin", "wait", "stubborn"):
            with connect(stage.port) as client:
                began = time.monotonic()
                client.send(request("POST", "/", f"content-length: {len(how)}") + how.encode())
                assert status_of(client.head()) == 500
                assert time.monotonic() - began < 5


@pytest.mark.parametrize("spec", ["Stops", "StopsDuplex"])
def test_what_a_late_chunk_does(spec: str) -> None:
    """Before the response has begun it is answered, after that cut off; the upstream never has it whole."""
    with flowing(spec) as (stage, upstream):
        for says, status in ((b"stop", 403), (b"raise", 500)):
            with connect(stage.port) as client:
                client.send(request("POST", "/", CHUNKED))
                client.chunk(b"fine")
                with upstream.accept() as served:
                    served.head()
                    assert served.next_chunk() == b"fine"
                    client.chunk(says)
                    assert status_of(client.head()) == status
                    assert served.ended()
        for late in ("client", "served"):
            with connect(stage.port) as client:
                client.send(request("POST", "/", CHUNKED))
                with upstream.accept() as served:
                    served.head()
                    served.send(response(200, CHUNKED))
                    served.chunk(b"fine")
                    assert status_of(client.head()) == 200
                    assert client.next_chunk() == b"fine"
                    (client if late == "client" else served).chunk(b"stop")
                    assert client.ended()
                    assert served.ended()
        stage.logged("the response had begun and was cut off")


@pytest.mark.parametrize("spec", ["Stops", "StopsDuplex"])
def test_who_hangs_up_between_two_chunks_ends_the_exchange(spec: str) -> None:
    with flowing(spec) as (stage, upstream):
        for who in ("client", "served"):
            client = connect(stage.port)
            client.send(request("POST", "/", CHUNKED))
            client.chunk(b"four")
            with upstream.accept() as served, client:
                served.head()
                assert served.next_chunk() == b"four"
                (client if who == "client" else served).reset()
                if who == "client":
                    assert served.ended()
                    stage.logged("ended, sizes 4 None")
                else:
                    assert status_of(client.head()) == 503


def hands(stage: Stage, upstream: PlayedUpstream) -> tuple[Link, Link]:
    """Both ends of an upgraded connection."""
    client = connect(stage.port)
    client.send(request("GET", "/chat", *handshake_lines(new_key())))
    served = upstream.accept()
    served.head()
    served.send(response(101, *SWITCHING))
    assert status_of(client.head()) == 101
    return client, served


@pytest.mark.parametrize(
    ("spec", "up", "down"),
    [
        ("Upper", b"HELLO", b"WELCOME"),
        ("UpperDuplex", b"HELLO", b"WELCOME"),
        ("UpperUnlessUpgraded", b"hello", b"welcome"),
        ("WholeResponse", b"hello", b"welcome"),
    ],
)
def test_an_upgrade_is_seen_in_pieces_or_flows_past(spec: str, up: bytes, down: bytes) -> None:
    with flowing(spec) as (stage, upstream):
        client, served = hands(stage, upstream)
        with client, served:
            for _ in range(3):
                served.send(b"welcome")
                assert client.take(len(down)) == down
                client.send(b"hello")
                assert served.take(len(up)) == up
            client.close()
            assert served.ended()
        if spec == "WholeResponse":
            stage.logged("response body b'' of 101")


@pytest.mark.parametrize("mode", ["proc", "authz"])
def test_a_tunnel_is_refused_where_the_whole_body_is_wanted(mode: Mode) -> None:
    """It has none, and Envoy would wait for its end until the stream is idle for too long."""
    upgrade = request("GET", "/chat", *handshake_lines(new_key()))
    plain = b"CONNECT played:80 HTTP/1.1\r\nhost: played:80\r\n\r\n"
    with staged("bodies.py:NoSecrets", mode=mode) as stage:
        assert answer_to(stage, upgrade) == 501
        stage.logged("no-secrets", "an upgrade (or CONNECT) was refused")
        # there is no route for it, and without one ext_authz is not asked
        assert answer_to(stage, plain) == (501 if mode == "proc" else 404)


@pytest.mark.parametrize(
    "specs", [("UpperRequestDuplex", "WholeResponse"), ("UpperUnlessUpgraded", "LowerDuplex")]
)
def test_a_tunnel_is_refused_where_a_held_body_stands_beside_full_duplex(specs: tuple[str, str]) -> None:
    """Envoy can not be asked to let it by then, and what waits for the end of a tunnel waits for ever."""
    with flowing(*specs) as (stage, _):
        assert answer_to(stage, request("GET", "/chat", *handshake_lines(new_key()))) == 501
        stage.logged("an upgrade (or CONNECT) was refused", "beside a filter with duplex = True")


def answer_to(stage: Stage, asked: bytes) -> int:
    with connect(stage.port) as client:
        client.send(asked)
        return status_of(client.head())


@pytest.mark.parametrize("mode", ["proc", "authz"])
def test_too_long_a_body_passes(mode: Mode) -> None:
    with flowing("NoLongSecrets", mode=mode) as (stage, upstream):
        for size in (2_000_000, 2_000_001, 5_000_000):
            with connect(stage.port) as client:
                client.send(request("POST", "/", f"content-length: {size}"))
                client.send(b"x" * size)
                with upstream.accept() as served:
                    assert (b"x-decided: yes" in served.head()) == (size <= 2_000_000)
                    served.send(response(200, "content-length: 0"))
                    assert status_of(client.head()) == 200
