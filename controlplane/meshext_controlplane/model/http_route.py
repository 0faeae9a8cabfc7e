"""What a VirtualService says about HTTP requests, and what becomes of them (Istio's `HTTPRoute`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import Model, Name, check_namespace
from meshext_controlplane.model.fault import Fault, Percent
from meshext_controlplane.model.gateway_names import Gateways
from meshext_controlplane.model.header_operations import HeaderName, Headers, HeaderValue
from meshext_controlplane.model.matching import FullMatch, Regex, StringMatch
from meshext_controlplane.model.values import Duration, Port, check_host

RETRY_CONDITIONS = frozenset(
    "5xx gateway-error reset reset-before-request connect-failure envoy-ratelimited retriable-4xx "
    "refused-stream retriable-status-codes retriable-headers http3-post-connect-failure "
    "cancelled deadline-exceeded internal resource-exhausted unavailable".split()
)
"""Envoy's words for what is worth another attempt; beside them, statuses."""

LONGEST_BODY = 1024 * 1024  # bytes


class PortSelector(Model):
    """A port of a service."""

    number: Port


class Destination(Model):
    """A service: a host, one of its subsets, one of its ports (its only one if none is written)."""

    host: Annotated[str, AfterValidator(check_host)]
    subset: str = ""
    port: PortSelector | None = None


class HttpMatch(Model):
    """One block: all that it asks for has to be so."""

    name: str = ""
    uri: FullMatch | None = None
    ignore_uri_case: bool = False
    scheme: FullMatch | None = None
    method: FullMatch | None = None
    authority: FullMatch | None = None
    headers: dict[HeaderName, StringMatch] = Field(default={})
    without_headers: dict[HeaderName, StringMatch] = Field(default={})
    query_params: dict[str, StringMatch] = Field(default={})
    port: Port | None = None
    source_labels: dict[str, str] = Field(default={})
    source_namespace: str = ""
    gateways: Gateways = ()
    stat_prefix: str = ""

    @model_validator(mode="after")
    def _case(self) -> Self:
        if self.ignore_uri_case and (self.uri is None or self.uri.regex is not None):
            raise ValueError("ignoreUriCase goes with uri exact and prefix; in a regex write (?i)")
        return self


class HttpDestination(Model):
    """Where a share of the requests goes; one alone gets all, whatever its weight."""

    destination: Destination
    weight: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    headers: Headers | None = None


class Redirect(Model):
    """An answer that sends the client elsewhere."""

    uri: Annotated[str, Field(max_length=4096)] = ""
    prefix_rewrite: Annotated[str, Field(max_length=4096)] = ""
    authority: str = ""
    port: Port | None = None
    derive_port: Literal["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"] | None = None
    scheme: Literal["http", "https"] | None = None
    redirect_code: Literal[301, 302, 303, 307, 308] = 301

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.uri and self.prefix_rewrite:
            raise ValueError("uri and prefixRewrite: write one of them")
        if self.port is not None and self.derive_port is not None:
            raise ValueError("port and derivePort: write one of them")
        where = (self.uri, self.prefix_rewrite, self.authority, self.port, self.derive_port, self.scheme)
        if not any(where):
            raise ValueError("a redirect says where to; write uri, authority, scheme or port")
        return self


class ResponseBody(Model):
    """A body as text."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType({"bytes": "write string"})

    string: str

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.string.encode("utf-8", "surrogatepass")) > LONGEST_BODY:
            raise ValueError(f"string: longer than {LONGEST_BODY} bytes; serve it from somewhere else")
        return self


class DirectResponse(Model):
    """An answer of the sidecar itself."""

    status: Annotated[int, Field(ge=200, le=599)]
    body: ResponseBody | None = None


class RegexRewrite(Model):
    """Every match in the path is replaced; `\\1` stands for what a group has found."""

    match: Regex
    rewrite: Annotated[HeaderValue, Field(max_length=1024)]

    @model_validator(mode="after")
    def _groups_are_there(self) -> Self:
        groups = len(re.findall(r"(?<!\\)\((?!\?(?!P?<))", re.sub(r"\\\\", "", self.match)))
        for each in re.findall(r"\\(.?)", self.rewrite):
            if each != "\\" and not (each.isdigit() and int(each) <= groups):
                raise ValueError(f"rewrite: \\{each} stands for no group; the expression has {groups}")
        return self


class Rewrite(Model):
    """What the upstream gets to see. `uri` replaces the prefix, or the whole path, that has matched."""

    uri: Annotated[HeaderValue, Field(max_length=4096)] = ""
    authority: HeaderValue = ""
    uri_regex_rewrite: RegexRewrite | None = None

    @model_validator(mode="after")
    def _one_path(self) -> Self:
        if self.uri and self.uri_regex_rewrite:
            raise ValueError("uri and uriRegexRewrite: write one of them")
        if not (self.uri or self.uri_regex_rewrite or self.authority):
            raise ValueError("a rewrite says what; write uri, uriRegexRewrite or authority")
        return self


def check_conditions(text: str) -> str:
    """Conditions with commas between them; ValueError names one that Envoy does not know."""
    for word in (each.strip() for each in text.split(",") if text):
        if word not in RETRY_CONDITIONS and not (word.isdigit() and len(word) == 3 and word[0] in "12345"):
            raise ValueError(f"{word[:40]!r} is no condition of retries; write for example 5xx or 503")
    return text


class Retries(Model):
    """Attempts beside the first; 0 switches retries off. The `retry_on` conditions are Envoy's."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType({"retryRemoteLocalities": ""})

    attempts: Annotated[int, Field(ge=0, le=100)] = 2
    per_try_timeout: Duration | None = None
    retry_on: Annotated[str, Field(max_length=1024), AfterValidator(check_conditions)] = ""
    retry_ignore_previous_hosts: bool = True
    backoff: Duration | None = None


class Mirror(Model):
    """A copy of a share of the requests, of all where none is said; answers to it are thrown away."""

    destination: Destination
    percentage: Percent | None = None


class CorsPolicy(Model):
    """Which pages of other origins may read answers."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"allowOrigin": "write allowOrigins: [{exact: ...}]"}
    )

    allow_origins: tuple[FullMatch, ...] = ()
    allow_methods: tuple[HeaderValue, ...] = ()
    allow_headers: tuple[HeaderValue, ...] = ()
    expose_headers: tuple[HeaderValue, ...] = ()
    max_age: Duration | None = None
    allow_credentials: bool | None = None
    unmatched_preflights: Literal["UNSPECIFIED", "FORWARD", "IGNORE"] = "UNSPECIFIED"


class Delegate(Model):
    """Another VirtualService, without hosts, whose rules stand in a rule's place; by default a neighbour."""

    name: Name
    namespace: Annotated[str, AfterValidator(lambda name: check_namespace(name) if name else name)] = ""


class HttpRoute(Model):
    """One rule: the first whose match holds decides."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "mirrorPercent": "write mirrorPercentage: {value: ...}",
        }
    )

    name: str = ""
    match: Annotated[tuple[HttpMatch, ...], Field(max_length=1000)] = ()
    route: Annotated[tuple[HttpDestination, ...], Field(max_length=1000)] = ()
    redirect: Redirect | None = None
    direct_response: DirectResponse | None = None
    delegate: Delegate | None = None
    rewrite: Rewrite | None = None
    timeout: Duration | None = None
    retries: Retries | None = None
    fault: Fault | None = None
    mirror: Destination | None = None
    mirrors: tuple[Mirror, ...] = ()
    mirror_percentage: Percent | None = None
    cors_policy: CorsPolicy | None = None
    headers: Headers | None = None

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        actions: dict[str, object] = {"route": self.route, "redirect": self.redirect}
        actions |= {"directResponse": self.direct_response, "delegate": self.delegate}
        written = [name for name, value in actions.items() if value]
        if len(written) != 1:
            said = " and ".join(written) or "none of them"
            raise ValueError(f"exactly one of route, redirect, directResponse and delegate; here is {said}")
        if len(self.route) > 1 and sum(each.weight for each in self.route) == 0:
            raise ValueError("route: all weights are 0; write the share of each destination")
        if sum(each.weight for each in self.route) > 2**32 - 1:
            raise ValueError("route: the weights make more than 4294967295; write smaller ones")
        return self

    @model_validator(mode="after")
    def _what_goes_together(self) -> Self:
        only_routes = {
            "rewrite": self.rewrite,
            "timeout": self.timeout,
            "retries": self.retries,
            "mirror": self.mirror,
            "mirrors": self.mirrors,
        }
        if not (self.route or self.delegate):
            for name, value in {**only_routes, "fault": self.fault}.items():
                if value:
                    raise ValueError(f"{name} goes with route; remove it here")
        if self.mirror and self.mirrors:
            raise ValueError("mirror and mirrors: write one of them")
        if self.mirror_percentage and not self.mirror:
            raise ValueError("mirrorPercentage goes with mirror; in mirrors write percentage")
        return self
