"""Envoy's admin interface over its Unix socket.

The admin interface can stop Envoy and shows its secrets' names, so it listens on a socket file which only
we may open (`admin.address.pipe` with mode 0600), never on a port. Paths and answers:
https://www.envoyproxy.io/docs/envoy/latest/operations/admin
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import quote

import h11

from meshext.errors import EnvoyError

_PIECE = 65_536  # bytes read at once


class Admin:
    """A client of one Envoy's admin interface; every call is a connection of its own.

    `time_limit` is in seconds and `max_body` in bytes, both for each call. Every method raises EnvoyError
    if Envoy can not be reached, is too slow, answers too much, or answers a status other than 200.
    """

    def __init__(self, socket_path: Path, *, time_limit: float = 5.0, max_body: int = 67_108_864) -> None:
        self.socket_path = socket_path
        self._time_limit = time_limit
        self._max_body = max_body

    async def get(self, path: str) -> bytes:
        """What Envoy answers to `GET path`, such as `/server_info`."""
        return await self._ask("GET", path)

    async def post(self, path: str) -> bytes:
        """What Envoy answers to `POST path`, such as `/healthcheck/fail`."""
        return await self._ask("POST", path)

    async def get_json(self, path: str) -> object:
        """The JSON document that Envoy answers to `GET path`."""
        body = await self.get(path)
        try:
            answer: object = json.loads(body)
        except ValueError as error:
            raise self._error(path, f"answered no JSON ({error})") from None
        return answer

    async def is_ready(self) -> bool:
        """Whether Envoy is LIVE and its workers take connections; False if it can not be reached."""
        try:
            live = (await self.get("/ready")).strip() == b"LIVE"
            return live and (await self.stats("^listener_manager.workers_started$")) == _STARTED
        except EnvoyError:
            return False

    async def listeners(self) -> dict[str, tuple[str, int]]:
        """The bound address of every listener by name: `(host, port)`, or `(path, 0)` for a socket file."""
        answer = await self.get_json("/listeners?format=json")
        return {
            str(status["name"]): _to_address(status.get("local_address", {}))
            for status in _dicts(answer, "listener_statuses")
        }

    async def stats(self, pattern: str = "") -> dict[str, int]:
        """Counters and gauges whose name matches the regular expression (RE2, anywhere in the name)."""
        query = f"&filter={quote(pattern, safe='')}" if pattern else ""
        answer = await self.get_json(f"/stats?format=json{query}")
        # Histograms and text readouts stand in the same list, without a number.
        return {
            str(stat["name"]): value
            for stat in _dicts(answer, "stats")
            if isinstance(value := stat.get("value"), int)
        }

    async def config_dump(self) -> dict[str, object]:
        """Everything Envoy runs with (`envoy.admin.v3.ConfigDump` as JSON), with secrets redacted."""
        answer = await self.get_json("/config_dump")
        if not isinstance(answer, dict):
            raise self._error("/config_dump", "answered no JSON object")
        return answer

    async def _ask(self, method: str, path: str) -> bytes:
        try:
            async with asyncio.timeout(self._time_limit):
                status, body = await self._exchange(method, path)
        except TimeoutError:
            raise self._error(path, f"gave no answer in {self._time_limit:g} s") from None
        except OSError as error:
            raise self._error(path, f"can not be reached ({error.strerror or error})") from None
        except h11.ProtocolError as error:
            raise self._error(path, f"does not speak HTTP ({error})") from None
        if status != 200:
            said = body[:200].decode("utf-8", "backslashreplace").strip()
            raise self._error(path, f"answered {status} {said!r}")
        return body

    async def _exchange(self, method: str, path: str) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_unix_connection(self.socket_path)
        try:
            conn = h11.Connection(h11.CLIENT)
            headers = [("host", "admin"), ("connection", "close"), ("content-length", "0")]
            writer.write(conn.send(h11.Request(method=method, target=path, headers=headers)))
            writer.write(conn.send(h11.EndOfMessage()))
            await writer.drain()
            return await self._read_answer(conn, reader, path)
        finally:
            writer.close()

    async def _read_answer(
        self, conn: h11.Connection, reader: asyncio.StreamReader, path: str
    ) -> tuple[int, bytes]:
        status = 0
        body = bytearray()
        while True:
            event = conn.next_event()
            if event is h11.NEED_DATA:
                conn.receive_data(await reader.read(_PIECE))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > self._max_body:
                    raise self._error(path, f"answered more than {self._max_body} bytes")
            elif isinstance(event, h11.EndOfMessage):
                return status, bytes(body)

    def _error(self, path: str, what: str) -> EnvoyError:
        return EnvoyError(f"Envoy's admin interface {str(self.socket_path)!r} {what}, asked for {path!r}")


_STARTED = {"listener_manager.workers_started": 1}


def _dicts(answer: object, key: str) -> list[dict[str, object]]:
    """The objects in the list `answer[key]`; proto3 JSON leaves out a list that is empty."""
    items = answer.get(key) if isinstance(answer, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _to_address(address: object) -> tuple[str, int]:
    """From `envoy.config.core.v3.Address` as JSON."""
    if not isinstance(address, dict):
        return "", 0
    if isinstance(pipe := address.get("pipe"), dict):
        return str(pipe.get("path", "")), 0
    sock = address.get("socket_address")
    if not isinstance(sock, dict):
        return "", 0
    return str(sock.get("address", "")), int(sock.get("port_value", 0))
