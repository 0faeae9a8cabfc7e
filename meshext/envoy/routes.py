"""Routes: which request goes to which upstream, from a person's file to Envoy's route configuration.

The file is a YAML list, tried from the top (`envoy.config.route.v3.RouteConfiguration`):

    - name: beta
      match: {prefix: /shop, headers: {x-version: v2}}
      upstream: v2
    - name: all
      match: {prefix: /}
      upstream: v1
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from meshext.config import Document, parse_config, parse_document
from meshext.envoy.messages import builds_messages
from meshext.envoy.upstreams import Upstream, name_over_http2
from meshext.errors import ConfigError

if TYPE_CHECKING:
    from envoy_data_plane.envoy.config.route.v3 import HeaderMatcher, RouteConfiguration, RouteMatch
    from envoy_data_plane.envoy.config.route.v3 import Route as RouteMessage

NO_LIMIT = timedelta(0)
"""For the time an answer may take. Envoy's 15 s would cut a long download or a stream of events; what stands
still ends by the connection manager's `STREAM_IDLE`."""

SELECTOR = "x-upstream"
"""The request header that chooses among several upstreams where no routes are given."""

NOT_FOUND = 404
"""What answers a request that no route takes."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_FIELD_VALUE = re.compile(r"[!-~\x80-\uffff](?:[\t -~\x80-\uffff]*[!-~\x80-\uffff])?|")  # section 5.5


@dataclass(frozen=True, slots=True)
class Match:
    """What a route matches: the path begins with `prefix` or equals `path`, and the headers are exact."""

    prefix: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if bool(self.prefix) == bool(self.path):
            raise ValueError("write either prefix or path, such as 'prefix: /'")
        if not (self.prefix or self.path).startswith("/"):
            raise ValueError(f"{self.prefix or self.path!r} does not begin with '/', as every path does")
        if "?" in self.path + self.prefix or "#" in self.path + self.prefix:
            raise ValueError("paths are matched without the query; leave out '?' or '#' and what follows")
        for name, value in self.headers.items():
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"{name!r} is no header name; it has letters, digits and '-'")
            if not _FIELD_VALUE.fullmatch(value):
                raise ValueError(f"{value!r} is no value of a header, which is one line without outer blanks")


@dataclass(frozen=True, slots=True)
class Route:
    """One route: its name (a filter sees it as `request.route`), what it matches, the upstream's name."""

    name: str
    match: Match
    upstream: str

    def __post_init__(self) -> None:
        if not self.name or not self.name.isascii() or not self.name.isprintable():
            raise ValueError(f"{self.name!r} is no name; a route's name is printable ASCII, not empty")


@dataclass(frozen=True, slots=True)
class _RoutesFile:
    routes: list[Route]


def parse_routes(document: Document, upstreams: Sequence[Upstream]) -> tuple[Route, ...]:
    """The routes of a file, every one to an upstream that there is; ConfigError lists every mistake."""
    plain = parse_document(document)
    if not isinstance(plain, list):
        problem = "is not a list of routes; begin with '- name: all', 'match: {prefix: /}', 'upstream: NAME'"
        raise ConfigError([problem], source=document.source)
    wrapped = Document(json.dumps({"routes": plain}), document.source)
    routes = tuple(parse_config(_RoutesFile, wrapped).routes)
    if problems := [*_unknown_upstreams(routes, upstreams), *_repeated_names(routes)]:
        raise ConfigError(problems, source=document.source)
    return routes


def build_default_routes(upstreams: Sequence[Upstream]) -> tuple[Route, ...]:
    """Without a file: `x-upstream: NAME` selects among several upstreams, and the first takes all else."""
    chosen = [
        Route(upstream.name, Match(prefix="/", headers={SELECTOR: upstream.name}), upstream.name)
        for upstream in upstreams
    ]
    rest = [Route("default", Match(prefix="/"), upstream.name) for upstream in upstreams[:1]]
    return (*(chosen if len(upstreams) > 1 else ()), *rest)


@builds_messages
def build_route_configuration(
    routes: Sequence[Route], over_http2: Collection[str] = ()
) -> RouteConfiguration:
    """The routes as one virtual host for every domain.

    `over_http2` are the upstreams whose gRPC requests have a cluster of their own; such a route stands twice,
    first for gRPC, under one name. Where the routes leave requests over, a last one without a name answers
    those with 404: ext_authz asks nobody about a request that has no route, not even a filter that would give
    it one.
    """
    from envoy_data_plane.envoy.config.route.v3 import RouteConfiguration, VirtualHost

    messages = [message for route in routes for message in _build_routes(route, over_http2)]
    if not any(route.match.prefix == "/" and not route.match.headers for route in routes):
        messages.append(_build_not_found())
    return RouteConfiguration(
        name="routes", virtual_hosts=[VirtualHost(name="all", domains=["*"], routes=messages)]
    )


def _build_routes(route: Route, over_http2: Collection[str]) -> Iterator[RouteMessage]:
    from envoy_data_plane.envoy.config.route.v3 import RouteMatchGrpcRouteMatchOptions

    if route.upstream in over_http2:
        match = _build_match(route.match)
        match.grpc = RouteMatchGrpcRouteMatchOptions()
        yield _build_route(route.name, match, name_over_http2(route.upstream))
    yield _build_route(route.name, _build_match(route.match), route.upstream)


def _build_route(name: str, match: RouteMatch, cluster: str) -> RouteMessage:
    from envoy_data_plane.envoy.config.route.v3 import Route as RouteMessage
    from envoy_data_plane.envoy.config.route.v3 import RouteAction

    return RouteMessage(name=name, match=match, route=RouteAction(cluster=cluster, timeout=NO_LIMIT))


def _build_not_found() -> RouteMessage:
    from envoy_data_plane.envoy.config.route.v3 import DirectResponseAction, RouteMatch
    from envoy_data_plane.envoy.config.route.v3 import Route as RouteMessage

    return RouteMessage(match=RouteMatch(prefix="/"), direct_response=DirectResponseAction(status=NOT_FOUND))


def _build_match(match: Match) -> RouteMatch:
    from envoy_data_plane.envoy.config.route.v3 import RouteMatch

    headers = [_build_header(name, value) for name, value in match.headers.items()]
    if match.path:
        return RouteMatch(path=match.path, headers=headers)
    return RouteMatch(prefix=match.prefix, headers=headers)


def _build_header(name: str, value: str) -> HeaderMatcher:
    from envoy_data_plane.envoy.config.route.v3 import HeaderMatcher
    from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher

    return HeaderMatcher(name=name.lower(), string_match=StringMatcher(exact=value))


def _unknown_upstreams(routes: Sequence[Route], upstreams: Sequence[Upstream]) -> list[str]:
    known = [upstream.name for upstream in upstreams]
    return [
        f"routes[{index}].upstream: there is no upstream {route.upstream!r}; there are {', '.join(known)}"
        for index, route in enumerate(routes)
        if route.upstream not in known
    ]


def _repeated_names(routes: Sequence[Route]) -> list[str]:
    names = [route.name for route in routes]
    return [
        f"routes[{index}].name: {name!r} is the name of routes[{names.index(name)}] too; choose another"
        for index, name in enumerate(names)
        if names.index(name) != index
    ]
