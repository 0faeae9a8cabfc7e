"""Which requests a route is for (`envoy.config.route.v3.RouteMatch`)."""

from __future__ import annotations

from dataclasses import dataclass

from meshext_controlplane.model.gateway_names import MESH, is_bound
from meshext_controlplane.model.http_route import HttpMatch
from meshext_controlplane.model.matching import StringMatch
from meshext_controlplane.model.virtual_service import L4Match
from meshext_proto.envoy.config.route.v3 import route_components_pb2
from meshext_proto.envoy.type.matcher.v3 import string_pb2

RouteMatch = route_components_pb2.RouteMatch
HeaderMatcher = route_components_pb2.HeaderMatcher


@dataclass(frozen=True, slots=True)
class Source:
    """Who sends: the scope of a client's namespace, and those of its labels that some document asks for.

    `gateway` is NAMESPACE/NAME of the Gateway that requests have come in by, else `mesh`.
    """

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()
    gateway: str = MESH

    def fits(self, match: HttpMatch | L4Match, namespace: str) -> bool:
        """Whether it is what a match in a document of that namespace asks for."""
        if match.source_namespace not in ("", self.namespace):
            return False
        if match.gateways and not is_bound(match.gateways, namespace, self.gateway):
            return False
        return match.source_labels.items() <= dict(self.labels).items()


ANYBODY = Source("")


def is_for(match: HttpMatch | L4Match, source: Source, port: int, namespace: str) -> bool:
    """Whether a match in a document of that namespace may hold for what that client sends to a port.

    The rest Envoy looks at.
    """
    return match.port in (None, port) and source.fits(match, namespace)


def build_match(match: HttpMatch | None) -> RouteMatch:
    """The match; without one, everything."""
    built = RouteMatch()
    if match is None:
        built.prefix = "/"
        return built
    _set_path(built, match)
    named = {":scheme": match.scheme, ":method": match.method, ":authority": match.authority}
    for name, value in {**match.headers, **{key: each for key, each in named.items() if each}}.items():
        built.headers.append(build_header(name, value))
    for name, value in match.without_headers.items():
        header = build_header(name, value)
        header.invert_match = True
        # A header that is not there has no value that could match.
        header.treat_missing_header_as_empty = not value.is_empty
        built.headers.append(header)
    for name, value in match.query_params.items():
        parameter = built.query_parameters.add(name=name)
        if value.is_empty:
            parameter.present_match = True
        else:
            parameter.string_match.CopyFrom(build_string(value))
    return built


def is_catch_all(match: HttpMatch | None) -> bool:
    """Whether nothing can come after it."""
    if match is None:
        return True
    asks = (match.scheme, match.method, match.authority, match.headers, match.without_headers)
    if any(asks) or match.query_params:
        return False
    uri = match.uri
    return uri is None or uri.prefix == "/" or uri.regex == ".*"


def build_string(match: StringMatch, *, ignore_case: bool = False) -> string_pb2.StringMatcher:
    """A match of text that asks for something."""
    built = string_pb2.StringMatcher()
    if match.regex is not None:
        built.safe_regex.regex = match.regex
    elif match.prefix is not None:
        built.prefix = match.prefix
    else:
        built.exact = match.exact or ""
    built.ignore_case = ignore_case
    return built


def _set_path(built: RouteMatch, match: HttpMatch) -> None:
    uri = match.uri
    if uri is None:
        built.prefix = "/"
    elif uri.regex is not None:
        built.safe_regex.regex = uri.regex
    elif uri.prefix is not None:
        built.prefix = uri.prefix
    else:
        built.path = uri.exact or ""
    if match.ignore_uri_case:
        built.case_sensitive.value = False


def build_header(name: str, value: StringMatch) -> HeaderMatcher:
    """A match of a header; one that asks for nothing asks for the header to be there."""
    header = HeaderMatcher(name=name)
    if value.is_empty:
        header.present_match = True
    else:
        header.string_match.CopyFrom(build_string(value))
    return header
