"""Reading a tag's value: text that is safe to show, "" where there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from meshext import Request, Response
from meshext_filters.telemetry.redaction import REDACTED, Redactor
from meshext_filters.telemetry.tags import Tag

JWT = "envoy.filters.http.jwt_authn"
LONGEST = 256  # characters of a value that is shown
LONGEST_READ = 1024  # and of one that is looked through for secrets
MOST_ITEMS = 20  # of a claim that is a list

SURROGATE = re.compile("[\ud800-\udfff]")  # what stands for bytes that are not UTF-8


class TagReader:
    """Reads one tag; made once for each configuration."""

    def __init__(self, tag: Tag, redactor: Redactor) -> None:
        self._tag = tag
        self._redactor = redactor
        self._hidden = not tag.plain and redactor.is_secret(name_of(tag))
        self._parts = () if tag.claim is None else tuple(tag.claim.split("."))

    def read(self, request: Request[Any]) -> str:
        """The value that a request has."""
        tag = self._tag
        if tag.header is not None:
            return self._show(request.headers.joined(tag.header))
        if tag.query is not None:
            return self._show(request.query.get(tag.query))
        if tag.claim is not None:
            return self._show(self._claim(request.metadata[JWT]))
        if tag.attribute is not None:
            return self._show(request.attribute(tag.attribute))
        if tag.peer == "address":
            return request.peer.address
        return peer_part(request.peer.principal, tag.peer or "principal")

    def read_late(self, response: Response[Any]) -> str:
        """The value that a response has."""
        if self._tag.attribute is not None:
            return self._show(response.attribute(self._tag.attribute))
        return self._show(response.headers.joined(self._tag.response_header or ""))

    def _claim(self, providers: Mapping[str, object]) -> object:
        for provider, payload in providers.items():
            if self._tag.provider is None or provider == self._tag.provider:
                value: object = payload
                for part in self._parts:
                    value = value.get(part) if isinstance(value, Mapping) else None
                if value is not None:
                    return value
        return None

    def _show(self, value: object) -> str:
        text = to_text(value)
        if not text:
            return ""
        return REDACTED if self._hidden else self._redactor.value(text)[:LONGEST]


def name_of(tag: Tag) -> str:
    """The name by which a tag's value is known where it comes from; "" for what Envoy tells."""
    return tag.header or tag.response_header or tag.query or tag.claim or ""


def to_text(value: object) -> str:
    """A value as text of bounded length; what is no scalar or list of them is none."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list | tuple):
        return clean(
            ",".join([to_text(item) for item in value[:MOST_ITEMS] if not isinstance(item, list | dict)])
        )
    return ""


def clean(text: str) -> str:
    """The text as every receiver can take it: cut, and bytes that are not UTF-8 as U+FFFD."""
    text = text[:LONGEST_READ]
    return text if text.isascii() else SURROGATE.sub("\ufffd", text)


def peer_part(principal: str | None, part: str) -> str:
    """A part of a SPIFFE ID; namespace and service account are those of Istio's form, "" in any other."""
    if principal is None or part == "principal":
        return principal or ""
    trust_domain, *path = principal.removeprefix("spiffe://").split("/")
    if part == "trust_domain":
        return trust_domain
    if len(path) != 4 or (path[0], path[2]) != ("ns", "sa"):
        return ""
    return path[1] if part == "namespace" else path[3]
