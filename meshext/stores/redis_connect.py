"""Connections to Redis, made by the redis library: addresses, TLS, credentials, Sentinels."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from meshext.errors import StoreError
from meshext.stores.redis_scripts import SCRIPTS
from meshext.stores.redis_url import RedisUrl

CONNECT_LIMIT = 0.5  # seconds for a connection with all its greetings
SENTINEL_PORT = 26379

OURS: Mapping[str, Any] = {
    "protocol": 2,
    "socket_timeout": None,
    "socket_connect_timeout": CONNECT_LIMIT,
    "health_check_interval": 0,
    "decode_responses": False,
}
REFUSED = frozenset({*OURS, "max_connections", "timeout", "retry_on_timeout", "encoding", "encoding_errors"})
"""Options of the library that have no meaning here: one connection, one deadline for all."""


class Address:
    """How to connect to one place."""

    def __init__(self, url: RedisUrl, single: str) -> None:
        options = read_options(url, single)
        self.sentinel = {
            name.removeprefix("sentinel_"): options.pop(name)
            for name in ("sentinel_username", "sentinel_password")
            if name in options
        }
        self.kind: type[AbstractConnection] = options.pop("connection_class", Connection)
        self.options: dict[str, Any] = {**options, **OURS}
        check_options(url, self.kind, self.options)

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        return self.options.get("host", "localhost"), self.options.get("port", 6379)

    async def connect(self, place: tuple[str, int] | None = None) -> AbstractConnection:
        """A connection that has answered; raises RedisError, OSError or TimeoutError."""
        where = {} if place is None else {"host": place[0], "port": place[1]}
        connection = self.kind(**{**self.options, **where})
        try:
            async with asyncio.timeout(CONNECT_LIMIT):
                await connection.connect()  # type: ignore[no-untyped-call]  # the library has none
                await greet(connection)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection


class Master:
    """How to connect to the master that Sentinels name, found anew for each connection."""

    def __init__(self, url: RedisUrl) -> None:
        addresses = [Address(url, single) for single in url.singles]
        self._address = addresses[0]
        self._service = url.service
        self._options = {
            **self._address.sentinel,
            **{name: value for name, value in self._address.options.items() if name.startswith("ssl_")},
            "ssl": issubclass(self._address.kind, SSLConnection),
            "socket_timeout": CONNECT_LIMIT / 2,
            "socket_connect_timeout": CONNECT_LIMIT / 2,
            "retry": Retry(NoBackoff(), 0),
        }
        self._places = [
            (host, SENTINEL_PORT if ":" not in single.rpartition("@")[2].split("]")[-1] else port)
            for (host, port), single in zip((each.place for each in addresses), url.singles, strict=True)
        ]

    async def connect(self) -> AbstractConnection:
        """A connection to the master of this moment; raises RedisError, OSError or TimeoutError."""
        sentinel = Sentinel(self._places, sentinel_kwargs=self._options)  # type: ignore[no-untyped-call]  # nor here
        try:
            async with asyncio.timeout(CONNECT_LIMIT):
                place = await sentinel.discover_master(self._service)
        finally:
            for client in sentinel.sentinels:
                await client.aclose()
        return await self._address.connect(place)


async def greet(connection: AbstractConnection) -> None:
    """Let it answer, and know our scripts, in one round trip; RedisError while it loads its data.

    A Redis that lets us load no scripts gets them with their first call.
    """
    await connection.send_command("PING")
    for script in SCRIPTS:
        await connection.send_command("SCRIPT", "LOAD", script.text)
    await connection.read_response()
    for _ in SCRIPTS:
        with contextlib.suppress(ResponseError):
            await connection.read_response(disconnect_on_error=False)


def read_options(url: RedisUrl, single: str) -> dict[str, Any]:
    """What the library reads in a URL."""
    try:
        options: dict[str, Any] = dict(parse_url(single))
    except ValueError as error:
        part = quoted("Invalid value for", error) or "a part"
        raise StoreError(f"store URL {url.shown!r}: {part} has no valid value") from None
    for name in sorted(REFUSED & options.keys()):
        raise StoreError(f"store URL {url.shown!r}: option {name!r} has no meaning here; leave it out")
    return options


def check_options(url: RedisUrl, kind: type[AbstractConnection], options: Mapping[str, Any]) -> None:
    """Raise StoreError for what the library can make no connection object from."""
    try:
        kind(**options)
    except TypeError as error:
        name = quoted("unexpected keyword argument", error)
        raise StoreError(f"store URL {url.shown!r}: there is no option {name}") from None
    except (RedisError, ValueError):
        raise StoreError(f"store URL {url.shown!r}: an option has no valid value") from None


def quoted(before: str, error: Exception) -> str:
    """The name that an error's text has in quotes behind some words; nothing else of it may be shown."""
    match = re.search(rf"{before} ('\w+')", str(error))
    return match[1] if match else ""
