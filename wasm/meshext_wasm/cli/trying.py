"""Calls of a filter's example sent through its module without Envoy, to see what they cost in host calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meshext.attributes import ATTRIBUTES
from meshext.cli.study import Phase
from meshext.needs import Hook, Needs
from meshext.sandbox.calls import Call, header_pairs
from meshext_wasm.abi.values import Level
from meshext_wasm.host.counting import CountingGuest
from meshext_wasm.host.driver import Driver, Message
from meshext_wasm.host.guest import WasmtimeGuest
from meshext_wasm.host.machine import Machine
from meshext_wasm.host.stream import Stream

Counts = Mapping[str, Counter[str]]

PHASES: Mapping[str, tuple[str, frozenset[Hook]]] = {
    "proxy_on_request_headers": ("request headers", frozenset({Hook.ON_REQUEST})),
    "proxy_on_request_body": ("request body", frozenset({Hook.ON_REQUEST_BODY, Hook.ON_REQUEST_CHUNK})),
    "proxy_on_request_trailers": ("request trailers", frozenset({Hook.ON_REQUEST_TRAILERS})),
    "proxy_on_response_headers": ("response headers", frozenset({Hook.ON_RESPONSE})),
    "proxy_on_response_body": ("response body", frozenset({Hook.ON_RESPONSE_BODY, Hook.ON_RESPONSE_CHUNK})),
    "proxy_on_response_trailers": ("response trailers", frozenset({Hook.ON_RESPONSE_TRAILERS})),
    "proxy_on_log": ("end", frozenset({Hook.ON_COMPLETE})),
}
"""The callbacks of an exchange in their order, each with the hooks that it is for."""

FORGED = {str: b"forged", int: (1).to_bytes(8, "little"), float: (10**9).to_bytes(8, "little"), bool: b"\1"}
"""What stands for an attribute, by its type; times are nanoseconds."""

PROPERTIES = {
    **{
        name: FORGED[each.type]
        for name, each in ATTRIBUTES.items()
        if each.carrier != "request" and each.phase != "response"
    },
    "source.address": b"127.0.0.1:5000",
    "filter_state.meshext_direct_address": b"127.0.0.1:5000",
    "xds.route_name": b"main",
    "xds.cluster_name": b"main",
}
ANSWER = Message(
    lines=(
        (b":status", b"200"),
        (b"content-type", b"application/json"),
        (b"content-length", b"2"),
        (b"server", b"envoy"),
    ),
    pieces=(b"{}", b""),
)
"""What stands for the upstream."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What the exchanges took by phase, the properties they asked for, the first line of each failure."""

    phases: tuple[Phase, ...]
    properties: tuple[str, ...]
    failures: tuple[str, ...]


def try_calls(code: bytes, configuration: str, needs: Sequence[Needs], calls: Sequence[Call]) -> Tried:
    """Every call through the module, one after the other. RefusedError where it refuses its configuration."""
    machine = Machine(configuration=configuration.encode())
    guest = CountingGuest(WasmtimeGuest(code, machine))
    driver = Driver(guest)
    driver.configure()
    found: list[Counts] = []
    for call in calls:
        with guest.counted() as counts:
            driver.exchange(to_message(call), lambda _: ANSWER, prepare=prepare)
        found.append(counts)
    failures = [each.text.splitlines()[0] for each in machine.logs if each.level >= Level.ERROR]
    return Tried(list_phases(guest, needs, found), tuple(machine.asked), tuple(dict.fromkeys(failures)))


def list_phases(guest: CountingGuest, needs: Sequence[Needs], found: Sequence[Counts]) -> tuple[Phase, ...]:
    """The phases that the module has callbacks for."""
    hooks = frozenset[Hook]().union(*(each.hooks for each in needs))
    return tuple(
        Phase(
            name=name,
            hooks=tuple(hook.value for hook in Hook if hook in hooks & own),
            calls=spans([counts[callback] for counts in found if callback in counts]),
        )
        for callback, (name, own) in PHASES.items()
        if guest.has(callback)
    )


def spans(found: Sequence[Counter[str]]) -> dict[str, tuple[int, int]]:
    """The fewest and the most calls of each function."""
    names = sorted({name for counts in found for name in counts})
    return {
        name: (min(counts[name] for counts in found), max(counts[name] for counts in found)) for name in names
    }


def to_message(call: Call) -> Message:
    """The request as Envoy has it when the filters see it."""
    request = call.request
    body = request.body.encode()
    pseudo = {
        ":authority": "localhost",
        ":path": request.target,
        ":method": request.method,
        ":scheme": "http",
    }
    lines = [*pseudo.items(), ("x-request-id", "0"), ("x-forwarded-proto", "http"), ("accept", "*/*")]
    lines += header_pairs(request)
    if body:
        lines.append(("content-length", str(len(body))))
    return Message(
        lines=tuple(
            (name.lower().encode(), value.encode("utf-8", "surrogateescape")) for name, value in lines
        ),
        pieces=(body, b"") if body else (),
    )


def prepare(stream: Stream) -> None:
    """What Envoy tells beside the message."""
    stream.set_properties(PROPERTIES)
