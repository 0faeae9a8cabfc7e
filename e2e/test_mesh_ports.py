"""Garbage, floods and huge messages on every port of a control plane: it goes on, its memory is bounded."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from e2e.mesh.processes import wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import World, mesh

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

MOST = 150 << 20  # bytes that it may take on top
HELLO = bytes.fromhex("16030100c8010000c40303")  # the beginning of a TLS handshake
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAMES = PREFACE + bytes.fromhex("000000040000000000") + bytes.fromhex("ffffff000100000001")
Place = tuple[str, int] | str


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    ports = ("--metrics", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
    with mesh(tmp_path, shop("checkout"), *ports) as made:
        yield made


def places(world: World) -> list[Place]:
    """Every port that it says it listens on, and its local socket."""
    found: list[Place] = [str(world.state / "admin.sock")]
    for host, port in re.findall(r"^serving \w+ (\S+):(\d+)$", world.control_plane.text, re.MULTILINE):
        found.append((host, int(port)))
    return found


async def connect(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(place, str):
        return await asyncio.open_unix_connection(place)
    return await asyncio.open_connection(*place)


async def send(place: Place, data: bytes, *, times: int = 1) -> None:
    """Send that so often as it is taken, and read what comes until the end."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(10):
            reader, writer = await connect(place)
            try:
                for _ in range(times):
                    writer.write(data)
                    await writer.drain()
                while await reader.read(65_536):
                    pass
            finally:
                writer.close()


async def attack(place: Place) -> None:
    draw = random.Random(7)
    sent = [send(place, draw.randbytes(draw.randrange(1, 2000))) for _ in range(200)]
    sent += [send(place, head + draw.randbytes(300)) for head in (HELLO, FRAMES) for _ in range(50)]
    sent += [send(place, bytes(1 << 20), times=64) for _ in range(4)]
    sent += [send(place, b"GET /metrics HTTP/1.1\r\nx: " + b"a" * (1 << 20)) for _ in range(20)]
    sent += [send(place, b"") for _ in range(100)]  # nothing, for as long as it may
    await asyncio.gather(*sent)


def test_every_port_is_attacked(world: World) -> None:
    process = psutil.Process(world.control_plane.process.pid)
    wait_for("all ports are said", lambda: len(places(world)) == 5)
    world.add("checkout-1")
    wait_for("it is there", world.synced)
    before = process.memory_info().rss
    for place in places(world):
        asyncio.run(attack(place))
        assert world.control_plane.process.poll() is None
        assert world.synced(), place
    assert process.memory_info().rss - before < MOST
    files = process.num_fds()
    world.add("storefront-1")
    wait_for("another one joins", lambda: world.members[1].reaches("checkout"))
    assert files < 200
    assert "Traceback" not in world.control_plane.text
