"""The plan: what a chain of filters asks of Envoy in one runtime, as plain data.

Derived once from the filters' needs. `meshext config`, `meshext run`, the hosts and later the control
plane all read the same plan; none of them looks at a filter class again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from meshext.attributes import check_authz_attributes
from meshext.bodies import REQUEST, RESPONSE, BodyStyle, choose_style
from meshext.errors import UnsupportedError
from meshext.needs import FailureMode, Hook, Needs

Mode = Literal["authz", "proc", "wasm"]
"""ext_authz, ext_proc, or compiled into Envoy itself; the last is never chosen by default."""

AUTHZ_HOOKS = frozenset({Hook.ON_REQUEST, Hook.ON_REQUEST_BODY})
ONLY_REQUEST = AUTHZ_HOOKS | {Hook.ON_REQUEST_CHUNK, Hook.ON_REQUEST_TRAILERS}

DETAILS_NAMESPACE = "meshext"
"""Where ext_authz puts the details of an answer, beside the filters' own `meshext.<name>`: Envoy's own field
for them says `ext_authz_denied` whatever is sent."""

MINIMUM_TIMEOUT = 5.0  # seconds; less answers 504 in a burst although every hook is quick (measured)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What Envoy has to send and allow for a chain of filters, in the order given.

    `timeout` is in seconds and stands above all time limits together, `max_body` in bytes and the
    largest that any filter asked for. `response_headers` is false where no hook looks at the response;
    the service then asks for them per request, when a filter put something on the response.
    `request_body` and `response_body` are "" where no hook looks at bodies.
    """

    mode: Mode
    filters: tuple[str, ...]
    request_body: BodyStyle
    request_trailers: bool
    response_headers: bool
    response_body: BodyStyle
    response_trailers: bool
    attributes: tuple[str, ...]
    metadata_namespaces: tuple[str, ...]
    written_namespaces: tuple[str, ...]
    max_body: int
    timeout: float
    failure: FailureMode


def build_plan(chain: Sequence[Needs], mode: Mode | None = None) -> Plan:
    """The plan for a chain; ext_authz where it is enough and no mode is asked for, else ext_proc.

    Raises UnsupportedError where the mode can not carry a filter, naming filter and hook.
    """
    chosen = mode or default_mode(chain)
    if chosen == "authz":
        check_authz(chain)
    hooks = frozenset().union(*(needs.hooks for needs in chain))
    request_body = choose_style(chain, REQUEST, may_skip=chosen == "proc")
    response_body = choose_style(chain, RESPONSE)
    return Plan(
        mode=chosen,
        filters=tuple(needs.name for needs in chain),
        request_body=request_body,
        # a message with trailers and no body comes without a body event: only the trailers tell of its end
        request_trailers=chosen == "proc" and (bool(request_body) or Hook.ON_REQUEST_TRAILERS in hooks),
        # with full duplex Envoy obeys no mode_override, so the response can not be asked for later
        response_headers=bool(hooks - ONLY_REQUEST)
        or (request_body == "duplex" and any(needs.may_add for needs in chain)),
        response_body=response_body,
        response_trailers=bool(response_body) or Hook.ON_RESPONSE_TRAILERS in hooks,
        attributes=merged(*(needs.attributes for needs in chain)),
        metadata_namespaces=merged(*(needs.metadata_namespaces for needs in chain)),
        written_namespaces=merged(
            *((needs.namespace,) for needs in chain), (DETAILS_NAMESPACE,) if chosen == "authz" else ()
        ),
        max_body=max(needs.max_body for needs in chain),
        timeout=max(MINIMUM_TIMEOUT, 1.0 + sum(needs.time_limit * len(needs.hooks) for needs in chain)),
        failure="closed" if any(needs.failure == "closed" for needs in chain) else "open",
    )


def default_mode(chain: Sequence[Needs]) -> Mode:
    """ext_authz where `on_request` alone is used by all, else ext_proc."""
    only_headers = all(needs.hooks <= {Hook.ON_REQUEST} for needs in chain)
    return "authz" if only_headers else "proc"


def check_authz(chain: Sequence[Needs]) -> None:
    """Refuse by name what ext_authz has no message for."""
    for needs in chain:
        check_authz_attributes(needs.attributes)
        for hook in Hook:
            if hook in needs.hooks - AUTHZ_HOOKS:
                raise UnsupportedError(
                    f"{needs.name}: ext_authz has no {hook.value}; use --mode proc, or leave the hook out"
                )


def merged(*groups: tuple[str, ...]) -> tuple[str, ...]:
    """Names of all groups, each once, in the order first seen."""
    return tuple(dict.fromkeys(name for group in groups for name in group))
