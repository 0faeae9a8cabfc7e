"""`envoy.service.auth.v3.Authorization`: one check, bytes in and bytes out."""

from __future__ import annotations

from typing import Any

from meshext.engine.carrier import AUTHZ
from meshext.engine.chain import Chain
from meshext.engine.effects import UNTOUCHED, Answer, Effect, Proceed
from meshext.engine.engine import Engine
from meshext.engine.events import RequestBodyReceived, RequestHeadersReceived
from meshext.engine.observer import InitialMetadata, Observer, outcome_of
from meshext.engine.watch import Watch
from meshext.errors import ProtocolError
from meshext.hosts._wire import ADD, SET, parse, to_lines, to_namespaces, to_struct
from meshext.hosts.header_options import IS_SET, VALUE, write_option
from meshext.hosts.initial_metadata import build_surroundings, read_origin
from meshext.hosts.known import Known
from meshext.hosts.wire_fields import field, tag
from meshext.http.additions import Additions
from meshext.http.headers import Lines
from meshext.http.metadata import Namespaces
from meshext.http.parts import HeaderChange
from meshext.plan import DETAILS_NAMESPACE, Plan
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2
from meshext_proto.meshext import received_pb2

SERVICE = "envoy.service.auth.v3.Authorization"
PERMISSION_DENIED = 7  # google.rpc.Code
NO_HEADER_MAP = (
    "the request's headers came without header_map, so repeated ones can not be told apart; set "
    "encode_raw_headers: true on the ext_authz filter, as `meshext config` prints it"
)
PARTIAL = "x-envoy-auth-partial-body"
OK = tag(external_auth_pb2.CheckResponse, "ok_response")
HEADERS, REMOVE = (tag(external_auth_pb2.OkHttpResponse, name) for name in ("headers", "headers_to_remove"))
PLAIN_OK = external_auth_pb2.CheckResponse(ok_response={}).SerializeToString()


async def check(
    raw: bytes,
    metadata: InitialMetadata,
    *,
    chain: Chain,
    plan: Plan,
    watch: Watch,
    observer: Observer | None = None,
) -> bytes:
    """Answer one CheckRequest; ProtocolError where it is not one that our configuration would send."""
    sighting = None if observer is None else observer.begin("authz", metadata)
    engine = Engine(chain, watch, AUTHZ, sighting)
    try:
        told = parse(received_pb2.CheckRequest, raw).attributes
        begun = read_headers(told, metadata, plan, len(raw))
        lines = begun.lines
        if not begun.end:
            begun.lines = without_partial(lines)
        effect = await engine.receive(begun)
        if not begun.end and isinstance(effect, Proceed):
            effect = merge(effect, await engine.receive(read_body(told, lines, plan)))
        reply = build_reply(effect)
    except BaseException as error:
        if sighting is not None:
            sighting.end(engine.outcome(outcome_of(error)))
        raise
    if sighting is not None:
        sighting.end(engine.outcome())
    return reply


def read_headers(told: Any, metadata: InitialMetadata, plan: Plan, size: int) -> RequestHeadersReceived:
    """The request as far as its headers, out of the attributes of a CheckRequest of that many bytes."""
    lines = to_lines(told.request.http.header_map.headers)
    if not lines:
        raise ProtocolError(NO_HEADER_MAP)
    surroundings = build_surroundings(lines, read_origin(metadata), plan.attributes)
    if plan.metadata_namespaces and told.metadata_context:
        surroundings.metadata.update(to_namespaces(told.metadata_context))
    return RequestHeadersReceived(lines, not plan.request_body, surroundings, size)


def read_body(told: Any, lines: Lines, plan: Plan) -> RequestBodyReceived:
    """Its body."""
    http = told.request.http
    body = http.raw_body or http.body
    check_whole(lines, body, plan)
    check_came(lines, body)
    return RequestBodyReceived(body=body)


def check_whole(lines: Lines, body: bytes, plan: Plan) -> None:
    """A body that Envoy cut short is never decided on.

    Our configuration does not let it be, but for one that is too long for every filter and may pass.
    """
    if (PARTIAL, b"true") not in lines:
        return
    if plan.request_body != "partial":
        raise ProtocolError(f"the body is partial ({PARTIAL}: true); set allow_partial_message: false")
    if len(body) <= plan.max_body:
        raise ProtocolError(
            f"Envoy cut a body after {len(body)} bytes; set max_request_bytes: {plan.max_body + 1}"
        )


def check_came(lines: Lines, body: bytes) -> None:
    """A body that was announced and did not come along is never decided on either."""
    if not body and any(name == "content-length" and value.strip(b" 0") for name, value in lines):
        raise ProtocolError(
            "the request has a body, and Envoy does not send it along; set with_request_body on the "
            "ext_authz filter, as `meshext config` prints it"
        )


def without_partial(lines: Lines) -> Lines:
    """The client's lines: Envoy's own mark on the copy it sends here is not one of them."""
    return tuple([line for line in lines if line[0] != PARTIAL])


def merge(first: Proceed, second: Effect) -> Effect:
    """One effect of two, since a check has a single answer."""
    if first is UNTOUCHED or second is UNTOUCHED or not isinstance(second, Proceed):
        return second
    replaced = dict(first.headers.replace) | dict(second.headers.replace)
    removed = dict.fromkeys(first.headers.remove + second.headers.remove)
    change = type(first.headers)(
        remove=tuple(name for name in removed if name not in dict(second.headers.replace)),
        replace=tuple(
            (name, values) for name, values in replaced.items() if name not in second.headers.remove
        ),
    )
    return Proceed(headers=change, additions=second.additions, metadata={**first.metadata, **second.metadata})


def build_reply(effect: Effect) -> bytes:
    """The CheckResponse for an effect."""
    if effect is UNTOUCHED:
        return PLAIN_OK
    if isinstance(effect, Answer):
        return build_denied(effect)
    if not isinstance(effect, Proceed):
        raise ProtocolError("ext_authz has no response to reset")
    if not (effect.additions or effect.metadata):
        return known_ok(effect.headers)
    reply = external_auth_pb2.CheckResponse()
    reply.ok_response.SetInParent()  # allowed, also where only metadata is written
    reply.ok_response.MergeFromString(write_change(effect.headers))
    add_additions(reply.ok_response.response_headers_to_add, effect.additions)
    if effect.metadata:
        reply.dynamic_metadata.CopyFrom(to_struct(effect.metadata))
    return reply.SerializeToString()


def write_change(change: HeaderChange) -> bytes:
    """The fields of an `OkHttpResponse` that change the request's headers."""
    written = b"".join([field(REMOVE, name.encode()) for name in change.remove]) if change.remove else b""
    for name, values in change.replace:
        if len(values) > 1:
            raise ProtocolError(f"the filters together {AUTHZ.several_lines(name)}")
        written += field(HEADERS, write_option(name, VALUE, values[0], IS_SET))
    return written


def write_ok(change: HeaderChange) -> bytes:
    """A CheckResponse that lets the request go on with these changes and nothing more."""
    return field(OK, write_change(change))


known_ok = Known(write_ok, lambda _, reply: len(reply)).__getitem__


def build_denied(answer: Answer) -> bytes:
    """A CheckResponse that answers the client, whatever the status."""
    reply = external_auth_pb2.CheckResponse()
    reply.status.code = PERMISSION_DENIED
    reply.status.message = answer.details
    denied = reply.denied_response
    denied.status.code = answer.status  # type: ignore[assignment]  # an open enum: any status will do
    denied.body = answer.body.decode()
    for name, value in answer.lines:
        add_option(denied.headers, name, value, action=ADD)
    reply.dynamic_metadata.CopyFrom(to_struct(answer.metadata | details_of(answer)))
    return reply.SerializeToString()


def details_of(answer: Answer) -> Namespaces:
    """Details as metadata: Envoy's own field for them says `ext_authz_denied` whatever is sent."""
    return {DETAILS_NAMESPACE: {"details": answer.details}} if answer.details else {}


def add_additions(options: Any, additions: tuple[Additions, ...]) -> None:
    """The additions of all filters; Envoy appends before it sets, so a name is either set or appended."""
    values: dict[str, list[bytes]] = {}
    replaced: set[str] = set()
    for lines, names in additions:
        replaced |= names
        values.update({name: [] for name in names})
        for name, value in lines:
            values.setdefault(name, []).append(value)
    for name, found in values.items():
        if name in replaced and len(found) != 1:
            raise ProtocolError(f"the filters together {AUTHZ.mixed_lines(name)}")
        for value in found:
            add_option(options, name, value, action=SET if name in replaced else ADD)


def add_option(options: Any, name: str, value: bytes, *, action: Any) -> None:
    """One `HeaderValueOption`.

    The deprecated `append` stays unset: with it a denied answer loses lines, and on the request it joins
    them with a comma (measured on Envoy 1.40; https://github.com/envoyproxy/envoy/pull/43442).
    """
    header = options.add(append_action=action).header
    header.key = name
    header.value = value.decode()
