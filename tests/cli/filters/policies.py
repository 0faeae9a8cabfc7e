"""Filters for the command line's tests: one that is as small as can be, and one that uses everything."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshext import Exchange, Filter, Request, Respond, Response

print("modules may print")  # noqa: T201  # it is what is tested


class Hello(Filter):
    def on_request(self, request: Request) -> Respond | None:
        return None


class Everything(Filter):
    attributes = ("source.port", "upstream.address", "connection.requested_server_name")
    metadata_namespaces = ("envoy.filters.http.jwt_authn",)
    max_body = 2_000_000
    time_limit = 0.05
    failure = "open"

    @dataclass(frozen=True)
    class Config:
        @dataclass(frozen=True)
        class Rule:
            path: str
            share: float = 0.5

        header: str = field(default="x-user", metadata={"help": "Whose value tells users apart."})
        rules: tuple[Rule, ...] = ()
        token: str = "secret by default"

        def __post_init__(self) -> None:
            if self.header == "cookie":
                raise ValueError("header: cookies are not for this")

    def __init__(self, config: Config) -> None:
        if config.token == "taken":
            raise RuntimeError("__init__ says no")

    def on_request_body(self, request: Request) -> Respond | None:
        return None

    def on_response(self, response: Response) -> Respond | None:
        return None

    def on_complete(self, exchange: Exchange) -> None:
        return None


class Streams(Filter):
    duplex = True

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes | None:
        return None


class Passes(Filter):
    oversize = "pass"

    def on_request_body(self, request: Request) -> None:
        return None


class Late(Filter):
    @dataclass(frozen=True)
    class Config:
        limit: int

    def on_response_body(self, response: Response) -> Respond | None:
        return None


class Raw(Filter):
    """Takes a text.

    Configuration:
        one line, in which stands
          what is meant
    """

    Config = str

    def on_request(self, request: Request) -> Respond | None:
        return None


class NoHooks(Filter):
    pass
