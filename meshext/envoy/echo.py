"""The built-in echo service: an HTTP/1.1 server that answers with what it was asked.

It is the upstream of `meshext run` when none is named, and shows exactly what passed through Envoy:

    python -m meshext.envoy.echo --listen 127.0.0.1:8000 --name shop

answers every request with a JSON object:

    upstream      the `--name`
    method        as received
    target        the request target exactly as received; `path` and `query` are its parts before and after
                  the first `?`, neither decoded
    host          the Host header, or ""
    headers       [name, value] for every line, in order, names spelled as received
    body          the body as text if it is UTF-8, else in base64, with `body_base64` true
    trailers      [name, value] for every trailer line, in order

Names, values and targets are decoded as latin-1: every byte is the character of the same number, so bytes
that are not UTF-8 survive and `.encode("latin-1")` gives back what was on the wire.

Paths for trying things; whatever looks otherwise, also a number out of range, is plainly echoed:

    /status/CODE          answers with that status, 200 to 599
    /bytes/N              answers N bytes, at most 64 MiB
    /delay/MILLISECONDS   answers after that time, at most 60,000
    /headers?name=value   answers with these headers too, in order, repeated ones kept
    /trailers?name=value  answers chunked with these trailers, without any `x-echo-trailer: end`

A body of more than 64 MiB is answered 413, what is not HTTP 400, CONNECT 405.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import h11

from meshext.envoy.echo_answer import (
    MAX_BODY,
    Answer,
    Pairs,
    build_answer,
    from_pairs,
    to_echo,
    to_pairs,
    to_text,
)
from meshext.errors import ListenError, MeshextError

BACKLOG = 4096  # connections that wait to be taken; a Unix socket refuses what comes beyond them
_MAX_HEAD = 1_048_576  # bytes of a request line and its headers; Envoy's own limit is what is to be tried
_PIECE = 65_536  # bytes read or written at once
_LINGER = 1.0  # seconds in which a refused client may finish, so that it reads the answer and not a reset


class EchoServer:
    """An echo service in this process; `name` is what it calls itself in its answers.

    An async context manager that closes it: `async with EchoServer("shop") as echo: await echo.start(...)`.
    """

    def __init__(self, name: str = "echo") -> None:
        self.name = name
        self.address = ""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self, listen: str = "127.0.0.1:0") -> str:
        """Listen on `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`; the address, with the port that was taken.

        ListenError if it is not an address, in use or not ours. A socket file nobody listens on is replaced.
        """
        try:
            self._server, self.address = await self._listen(listen)
        except OSError as error:
            # asyncio writes the address into `strerror` as well; a failed look-up has a negative number.
            number = error.errno or 0
            why = os.strerror(number) if number > 0 else error.strerror or str(error)
            raise ListenError(f"can not listen on {listen}: {why}") from None
        return self.address

    async def close(self) -> None:
        """Stop listening and close all connections at once."""
        server, self._server = self._server, None
        if server is not None:
            await _stop_accepting(server)
            server.close()
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)
        if self.address.startswith("unix:"):
            Path(self.address.removeprefix("unix:")).unlink(missing_ok=True)
        self.address = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _listen(self, listen: str) -> tuple[asyncio.Server, str]:
        path = listen.removeprefix("unix:")
        if path != listen:
            await _check_unused(Path(path))
            return await asyncio.start_unix_server(self._accept, path, backlog=BACKLOG), listen
        host, _, port = listen.rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
            raise ListenError(f"{listen!r} is not an address: write HOST:PORT, [IPV6]:PORT or unix:PATH")
        server = await asyncio.start_server(self._accept, host.strip("[]"), int(port), backlog=BACKLOG)
        bound = server.sockets[0].getsockname()
        return server, f"[{bound[0]}]:{bound[1]}" if ":" in bound[0] else f"{bound[0]}:{bound[1]}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:  # closed while this one was on its way
            writer.close()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._open.add(task)

        # Not in the task: one that is cancelled before its first step runs no `finally`.
        def finish(task: asyncio.Task[None]) -> None:
            self._open.discard(task)
            writer.close()

        task.add_done_callback(finish)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):  # a lost client is nobody's fault
            await _Connection(self.name, reader, writer).serve()


class _Connection:
    """One client: requests one after the other until either side wants no more."""

    def __init__(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._name = name
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)

    async def serve(self) -> None:
        while True:
            try:
                more = await self._serve_one()
            except h11.RemoteProtocolError as error:
                await self._refuse(error.error_status_hint, str(error))
                return
            if not more:
                return
            self._http.start_next_cycle()

    async def _serve_one(self) -> bool:
        """Answer one request; whether another may follow on this connection."""
        request = await self._next_event()
        if not isinstance(request, h11.Request):
            return False
        if request.method == b"CONNECT":
            await self._refuse(405, "this is no proxy")
            return False
        read = await self._read_body(request)
        if read is None:
            await self._refuse(413, f"the body is longer than {MAX_BODY} bytes")
            return False
        echo = to_echo(self._name, request, *read)
        answer = build_answer(to_text(request.target), echo)
        if answer.delay:
            await asyncio.sleep(answer.delay)
        try:
            await self._send_answer(request, answer)
        except h11.LocalProtocolError as error:
            await self._refuse(400, f"not a header: {error}")
            return False
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _next_event(self) -> h11.Event | None:
        """What the client sends next; None while it may not send, as an answer is still due."""
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Event):
                return event
            if event is h11.PAUSED:
                return None
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self._reader.read(_PIECE))

    async def _read_body(self, request: h11.Request) -> tuple[bytes, Pairs] | None:
        """The body and the trailers; None if it is or will be too long, and then it is not read on."""
        length = next((value for name, value in request.headers if name == b"content-length"), b"0")
        body = bytearray()
        while int(length) <= MAX_BODY and len(body) <= MAX_BODY:
            event = await self._next_event()
            if isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return bytes(body), to_pairs(event.headers)
        return None

    async def _send_answer(self, request: h11.Request, answer: Answer) -> None:
        bodiless = request.method == b"HEAD" or answer.status in (204, 304)
        chunked = answer.trailers is not None and request.http_version >= b"1.1"
        headers = list(answer.headers)
        if chunked:
            headers.append(("transfer-encoding", "chunked"))
        elif answer.status != 204:
            headers.append(("content-length", str(len(answer.body) + answer.fill)))
        end = h11.EndOfMessage(headers=from_pairs(answer.trailers or [] if chunked and not bodiless else []))
        await self._send(h11.Response(status_code=answer.status, headers=from_pairs(headers)))
        if not bodiless:
            await self._send_body(answer)
        await self._send(end)

    async def _send_body(self, answer: Answer) -> None:
        if answer.body:
            await self._send(h11.Data(data=answer.body))
        left = answer.fill
        while left > 0:
            await self._send(h11.Data(data=b"x" * min(left, _PIECE)))
            left -= _PIECE

    async def _send(self, event: h11.Event) -> None:
        self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()

    async def _refuse(self, status: int, why: str) -> None:
        """Answer an error if nothing was answered yet; the connection ends with it."""
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        body = json.dumps({"error": why}).encode()
        headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
        await self._send(h11.Response(status_code=status, headers=[*headers, ("connection", "close")]))
        await self._send(h11.Data(data=body))
        await self._send(h11.EndOfMessage())
        if self._writer.can_write_eof():
            self._writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER):
                while await self._reader.read(_PIECE):
                    pass


async def _stop_accepting(server: asyncio.Server) -> None:
    """Take no more connections, and let those just taken reach the server.

    `Server.close` alone makes CPython before 3.12 fail an assertion for them and leak their sockets.
    """
    loop = asyncio.get_running_loop()
    for sock in server.sockets:
        loop.remove_reader(sock.fileno())
    for _ in range(2):  # the transport is made in the next turn of the loop, and handed over in the one after
        await asyncio.sleep(0)


async def _check_unused(path: Path) -> None:
    """Refuse a socket file that somebody answers on, which asyncio would replace without a word."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise ListenError(f"{str(path)!r} is in the way: it is no socket")
        _, writer = await asyncio.open_unix_connection(path)
    except (FileNotFoundError, ConnectionRefusedError):
        return
    writer.close()
    raise ListenError(f"can not listen on unix:{path}: somebody does already")


async def _main(listen: str, name: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with EchoServer(name) as echo:
        sys.stdout.write(f"ready {await echo.start(listen)}\n")
        sys.stdout.flush()
        await stop.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print `ready ADDRESS` and serve until SIGINT or SIGTERM; the exit code is 2 if it can not listen."""
    parser = argparse.ArgumentParser(prog="python -m meshext.envoy.echo", description="An HTTP echo service.")
    parser.add_argument("--listen", default="127.0.0.1:8000", help="HOST:PORT or unix:PATH")
    parser.add_argument("--name", default="echo", help="what it calls itself in its answers")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_main(options.listen, options.name))
    except MeshextError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
