"""The shop's services by themselves: the real processes, with the echo service for a proxy."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import h11

from meshext.envoy.echo import EchoServer
from meshext.lifeline import guarded

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@asynccontextmanager
async def running(service: str, folder: Path, **environment: str) -> AsyncIterator[Path]:
    """The process of a service; the path of its Unix socket, which answers."""
    path = folder / f"{service}.sock"
    process = await asyncio.create_subprocess_exec(
        *guarded([sys.executable, "-m", f"meshext_controlplane.demo.shop.{service}"]),
        env={**os.environ, "MESHEXT_LISTEN": f"unix:{path}", **environment},
    )
    try:
        async with asyncio.timeout(30):
            while process.returncode is None:
                with suppress(OSError):
                    _, writer = await asyncio.open_unix_connection(path)
                    writer.close()
                    break
                await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=0.02)
        yield path
    finally:
        process.terminate()
        assert await process.wait() == 0


async def ask(path: Path, method: str, target: str, given: bytes = b"", /, **headers: str) -> tuple[int, Any]:
    """One request over a Unix socket."""
    reader, writer = await asyncio.open_unix_connection(path)
    connection = h11.Connection(h11.CLIENT)
    lines = [("host", "shop"), ("content-length", str(len(given)))]
    lines += [(name.replace("_", "-"), value) for name, value in headers.items()]
    writer.write(connection.send(h11.Request(method=method, target=target, headers=lines)) or b"")
    writer.write(connection.send(h11.Data(data=given)) or b"")
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    status, got = 0, b""
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            got += bytes(event.data)
    writer.close()
    return status, json.loads(got)


def test_the_storefront_calls_through_its_proxy_and_passes_trace_and_user_on(tmp_path: Path) -> None:
    async def play() -> tuple[Any, Any]:
        async with EchoServer() as echo:
            proxy = f"http://{await echo.start()}"
            async with running("storefront", tmp_path, HTTP_PROXY=proxy, http_proxy=proxy) as path:
                mine = {"traceparent": TRACE, "x_user": "ann", "cookie": "stays here"}
                return (
                    await ask(path, "GET", "/recommendations", **mine),
                    await ask(path, "POST", "/orders", b'{"thing": 1}', **mine),
                )

    (status, echoed), (_, ordered) = asyncio.run(play())
    lines = {name.lower(): value for name, value in echoed["headers"]}
    assert (status, echoed["target"]) == (200, "http://recommendation.shop/for/ann")
    assert (lines["traceparent"], lines["x-user"]) == (TRACE, "ann")
    assert "cookie" not in lines
    assert (ordered["method"], ordered["target"]) == ("POST", "http://checkout.shop/orders")
    assert json.loads(ordered["body"]) == {"user": "ann", "order": {"thing": 1}}


def test_what_the_others_answer(tmp_path: Path) -> None:
    certificate = "By=spiffe://d/ns/shop/sa/checkout;Hash=00;URI=spiffe://d/ns/shop/sa/storefront"

    async def play() -> list[tuple[int, Any]]:
        async with (
            running("checkout", tmp_path) as checkout,
            running("recommendation", tmp_path, VERSION="v2") as recommendation,
        ):
            caller = {"x_forwarded_client_cert": certificate}
            return [
                await ask(checkout, "POST", "/orders", b"{}", x_user="ann", **caller),
                await ask(recommendation, "GET", "/for/ann"),
                await ask(recommendation, "GET", "/elsewhere"),
            ]

    order, things, lost = asyncio.run(play())
    assert order == (201, {"number": 1, "for": "ann", "caller": "spiffe://d/ns/shop/sa/storefront"})
    assert things[1]["version"] == "v2"
    assert len(things[1]["things"]) == 3
    assert lost[0] == 404


def test_a_service_that_no_one_answers_for_is_a_502(tmp_path: Path) -> None:
    async def play() -> tuple[int, Any]:
        nobody = "http://127.0.0.1:9"
        async with running("storefront", tmp_path, HTTP_PROXY=nobody, http_proxy=nobody) as path:
            return await ask(path, "GET", "/recommendations")

    status, said = asyncio.run(play())
    assert status == 502
    assert "recommendation.shop" in said["said"]


def test_a_body_that_is_too_long_is_refused_unread(tmp_path: Path) -> None:
    async def play() -> bytes:
        async with running("checkout", tmp_path) as path:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"POST /orders HTTP/1.1\r\nhost: shop\r\ncontent-length: 65537\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(play()).startswith(b"HTTP/1.1 413 ")
