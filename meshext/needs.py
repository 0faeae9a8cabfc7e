"""What one filter needs of whatever carries it, as plain data.

A class says it once, by the hooks it overrides and a few class attributes; hosts, `meshext config`,
`meshext check` and the control plane only read it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from meshext.errors import SpecError

FailureMode = Literal["closed", "open"]
Oversize = Literal["refuse", "pass"]

DEFAULT_MAX_BODY = 1_048_576  # bytes; Envoy's own default buffer limit, so that a pasted configuration works
DEFAULT_TIME_LIMIT = 0.2  # seconds


class Hook(StrEnum):
    """The hooks a filter may override, in the order in which an exchange meets them."""

    ON_REQUEST = "on_request"
    ON_REQUEST_BODY = "on_request_body"
    ON_REQUEST_CHUNK = "on_request_chunk"
    ON_REQUEST_TRAILERS = "on_request_trailers"
    ON_RESPONSE = "on_response"
    ON_RESPONSE_BODY = "on_response_body"
    ON_RESPONSE_CHUNK = "on_response_chunk"
    ON_RESPONSE_TRAILERS = "on_response_trailers"
    ON_COMPLETE = "on_complete"


LATE = frozenset({Hook.ON_REQUEST_BODY, Hook.ON_REQUEST_CHUNK, Hook.ON_REQUEST_TRAILERS})
"""Hooks that run when the request's headers may have left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one configured filter asks for.

    `name` is the filter's own name (its metadata namespace is `meshext.<name>`), `time_limit` is in
    seconds for each hook, `max_body` in bytes for each direction. `oversize` says what happens to a longer
    body, `duplex` that chunks may be held back, `may_skip` that a headers hook may let a body flow past,
    `may_add` that a hook may put headers on the response.
    """

    name: str
    hooks: frozenset[Hook]
    attributes: tuple[str, ...] = ()
    metadata_namespaces: tuple[str, ...] = ()
    max_body: int = DEFAULT_MAX_BODY
    time_limit: float = DEFAULT_TIME_LIMIT
    failure: FailureMode = "closed"
    oversize: Oversize = "refuse"
    duplex: bool = False
    may_skip: bool = False
    may_add: bool = False

    @property
    def adds_late(self) -> bool:
        """Whether a hook may put headers on the response when the request's headers have left."""
        return self.may_add and bool(self.hooks & LATE)

    @property
    def namespace(self) -> str:
        """The metadata namespace this filter writes to."""
        return f"meshext.{self.name}"

    def without(self, *hooks: str) -> Needs:
        """The same needs less some hooks, for a configuration that does not use them."""
        dropped = {parse_hook(hook) for hook in hooks}
        return replace(self, hooks=self.hooks - dropped)

    def adding(self, *, attributes: tuple[str, ...] = (), metadata_namespaces: tuple[str, ...] = ()) -> Needs:
        """The same needs and more, for a configuration that reads more."""
        return replace(
            self,
            attributes=tuple(dict.fromkeys(self.attributes + tuple(attributes))),
            metadata_namespaces=tuple(dict.fromkeys(self.metadata_namespaces + tuple(metadata_namespaces))),
        )


def parse_hook(name: str) -> Hook:
    """The hook of that name; SpecError lists the names there are."""
    try:
        return Hook(name)
    except ValueError:
        raise SpecError(f"{name!r} is not a hook; the hooks are {', '.join(Hook)}") from None
