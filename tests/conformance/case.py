"""A rule of the filter API as data: written once, run on every runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from meshext import Filter
from meshext.http.headers import Headers
from meshext.testing import Log, Reply

Pairs = tuple[tuple[str, str], ...]
Lines = Mapping[str, tuple[str, ...]]
"""What stands under a name: every line in order, () for none."""

LATER = "x-route"
"""A request whose `x-route` is `other` goes to the upstream `other`, every other one to `main`."""

DEAD = "dead"
"""... and one whose `x-route` is `dead` to an upstream that is not there: the client gets Envoy's own 503."""

NOTES: list[tuple[Any, ...]] = []
"""What filters noted during the case that runs."""


def note(*what: Any) -> None:
    """Called by a case's filter: part of what the case expects."""
    NOTES.append(what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """What the client sends.

    `chunked` sends a body (even an empty one) without saying its length; `http2` goes over HTTP/2.
    """

    method: str = "GET"
    target: str = "/"
    host: str = "example.test"
    headers: Pairs = ()
    body: bytes = b""
    trailers: Pairs = ()
    chunked: bool = False
    http2: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrives:
    """What the upstream has to get; None and unnamed headers are not looked at."""

    at: str | None = None
    method: str | None = None
    target: str | None = None
    host: str | None = None
    headers: Lines = field(default_factory=dict)
    body: bytes | None = None
    trailers: Lines | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gets:
    """What the client has to get; None and unnamed headers are not looked at."""

    status: int | None = 200
    headers: Lines = field(default_factory=dict)
    body: bytes | None = None
    trailers: Lines | None = None
    reset: bool | None = False


EMPTY = Reply()
REFUSED = Gets(status=500)

CUT_OFF = Gets(status=None, reset=None)
"""A response that can not be taken back is cut off, or 500 where Envoy has not sent its first byte yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One rule.

    `authz_failure` is what the log says where ext_authz can not carry what a hook does, `unseen_by_authz`
    Envoy's own status where it does not ask ext_authz.
    """

    name: str
    filters: tuple[type[Filter], ...]
    configs: tuple[object, ...] = ()
    send: Send = Send()
    reply: Reply = EMPTY
    arrives: Arrives | None = Arrives()
    gets: Gets = Gets()
    notes: tuple[tuple[Any, ...], ...] | None = None
    details: str | None = None
    metadata: Mapping[str, Mapping[str, Any]] | None = None
    failure: str = ""
    authz_failure: str = ""
    unseen_by_authz: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """The request as an upstream got it."""

    at: str
    method: str
    target: str
    host: str
    headers: Headers
    body: bytes
    trailers: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """The response as the client got it; `reset` where it was cut off."""

    status: int
    headers: Headers
    body: bytes
    trailers: Headers
    reset: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a runtime made of a case; `details` and `metadata` as the access log has them."""

    arrived: Arrived | None
    got: Got
    logs: tuple[Log, ...]
    details: str = ""
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
