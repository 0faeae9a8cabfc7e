"""What no hook wants the body of flows through untouched, piece by piece as it was sent, in both modes."""

from __future__ import annotations

import hashlib
import threading
import time

import pytest

from e2e.played import Link, PlayedUpstream, connect, request, response, status_of
from e2e.stage import Stage

pytestmark = pytest.mark.envoy

CHUNKED = "transfer-encoding: chunked"
LARGE = 64 << 20
"""Bytes; more than twice all buffers on the way together."""
PIECE = 1 << 18


def begin(stage: Stage, upstream: PlayedUpstream, *lines: str, method: str = "GET") -> tuple[Link, Link]:
    """A request whose head has reached the upstream: the client's end and the upstream's."""
    client = connect(stage.port)
    client.send(request(method, "/", *lines))
    served = upstream.accept()
    assert b"x-decided: yes" in served.head()
    return client, served


def test_events_arrive_one_by_one(stage: Stage, upstream: PlayedUpstream) -> None:
    """The client has each event before the upstream sends the next one."""
    client, served = begin(stage, upstream, "accept: text/event-stream")
    with client, served:
        served.send(response(200, "content-type: text/event-stream", CHUNKED))
        assert status_of(client.head()) == 200
        for number in range(100):
            served.chunk(b"id: %d\ndata: x\n\n" % number)
            assert client.next_chunk() == b"id: %d\ndata: x\n\n" % number
        served.chunk(b"")
        assert client.next_chunk() == b""


def test_an_upload_arrives_piece_by_piece(stage: Stage, upstream: PlayedUpstream) -> None:
    """Each piece is upstream before the client sends the next one, and answers may overtake them."""
    client, served = begin(stage, upstream, CHUNKED, method="POST")
    with client, served:
        served.send(response(200, CHUNKED))
        assert status_of(client.head()) == 200
        for number in range(100):
            client.chunk(b"piece %d" % number)
            assert served.next_chunk() == b"piece %d" % number
            served.chunk(b"seen %d" % number)
            assert client.next_chunk() == b"seen %d" % number


@pytest.mark.parametrize("way", ["up", "down"])
def test_what_is_large_passes_whole_and_is_not_kept(way: str, stage: Stage, upstream: PlayedUpstream) -> None:
    """While nobody reads, the writer is held up: little of it can be under way. Then all of it arrives."""
    length = f"content-length: {LARGE}"
    client, served = begin(stage, upstream, *([length] if way == "up" else []), method="PUT")
    with client, served:
        if way == "down":
            served.send(response(200, length))
            assert status_of(client.head()) == 200
        writer, reader = (client, served) if way == "up" else (served, client)
        pieces = [bytes([number]) * PIECE for number in range(LARGE // PIECE)]
        sent: list[int] = []
        writing = threading.Thread(target=send_all, args=(writer, pieces, sent))
        writing.start()
        assert stalls(sent) < LARGE / 2
        digest = hashlib.sha256()
        for _ in pieces:
            digest.update(reader.take(PIECE))
        writing.join()
        assert digest.digest() == hashlib.sha256(b"".join(pieces)).digest()


def send_all(writer: Link, pieces: list[bytes], sent: list[int]) -> None:
    for piece in pieces:
        writer.send(piece)
        sent.append(len(piece))


def stalls(sent: list[int]) -> int:
    """How many bytes were sent when no more went for a third of a second."""
    before = -1
    while before < len(sent):
        before = len(sent)
        time.sleep(0.3)
    return sum(sent)
