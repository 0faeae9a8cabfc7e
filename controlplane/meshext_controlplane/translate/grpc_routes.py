"""What a VirtualService's rules become for gRPC's own client: routes as it understands them, in order.

What the client can not do makes the route refuse: the calls that are meant end with UNAVAILABLE instead of
going somewhere else, or going there otherwise than is written. Why is told by `find_limits`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from meshext_controlplane.model.http_route import HttpMatch, HttpRoute, Retries
from meshext_controlplane.model.load_balancing import ConsistentHash
from meshext_controlplane.model.virtual_service import VirtualService
from meshext_controlplane.translate.grpc_matches import find_calls, is_hidden
from meshext_controlplane.translate.http_routes import pair_matches
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.route_matches import Source, is_catch_all
from meshext_controlplane.translate.route_policies import RETRY_ON, Route, build_fault
from meshext_proto.envoy.config.route.v3 import route_components_pb2

RouteAction = route_components_pb2.RouteAction
RetryPolicy = route_components_pb2.RetryPolicy

RETRY_WORDS = {
    "cancelled": "cancelled",
    "deadline-exceeded": "deadline-exceeded",
    "internal": "internal",
    "resource-exhausted": "resource-exhausted",
    "unavailable": "unavailable",
    # A connection that breaks, and a server that answers without gRPC, are UNAVAILABLE to a client.
    "5xx": "unavailable",
    "gateway-error": "unavailable",
    "reset": "unavailable",
    "429": "unavailable",
    "502": "unavailable",
    "503": "unavailable",
    "504": "unavailable",
}
"""What Envoy's conditions are to gRPC's client (gRFC A44). The others never come true there, or it tries
again by itself, as it does where the server has not seen the call."""

MOST_RETRIES = 4
"""gRPC's own limit."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What gRPC's client can not do for one rule of a document; `refused` where its calls end for that."""

    rule: str
    text: str
    refused: bool


def build_grpc_routes(
    document: VirtualService, source: Source, port: int, authority: str, outlook: Outlook
) -> list[Route]:
    """The routes for calls of a client to an authority."""
    routes: list[Route] = []
    for rule, match in pair_matches(document, source, port):
        routes += _build(document, rule, match, port, authority, outlook)
        if is_catch_all(match):
            break
    return routes


def build_grpc_default(cluster: str, outlook: Outlook) -> Route:
    """The route of a service that no VirtualService speaks of."""
    route = Route(name="default")
    route.match.prefix = "/"
    hashed = outlook.consistent_hash(cluster)
    if hashed is not None and tell_hash(hashed):
        route.non_forwarding_action.SetInParent()
        return route
    route.route.cluster = cluster
    _set_action(route.route, Retries(), [hashed])
    return route


def find_limits(
    document: VirtualService, source: Source, port: int, authority: str, outlook: Outlook
) -> Iterator[Limit]:
    """What a document says for calls to an authority and the client can not do."""
    for number, (rule, match) in enumerate(pair_matches(document, source, port)):
        calls = find_calls(match, authority)
        name = rule.name or f"http[{number}]"
        if calls.matches:
            refused = (*calls.reasons, *_tell_refused(rule, _hashes(document, rule, port, outlook)))
            yield from (Limit(name, text, True) for text in refused)
            yield from (Limit(name, text, False) for text in _tell_left_out(rule))
        if is_catch_all(match):
            return


def _build(
    document: VirtualService,
    rule: HttpRoute,
    match: HttpMatch | None,
    port: int,
    authority: str,
    outlook: Outlook,
) -> Iterator[Route]:
    calls = find_calls(match, authority)
    names = (rule.name, match.name if match else "")
    hashes = _hashes(document, rule, port, outlook)
    refused = calls.reasons or tuple(_tell_refused(rule, hashes))
    for each in calls.matches:
        route = Route(name=".".join(name for name in names if name), match=each)
        if refused:
            route.non_forwarding_action.SetInParent()
        else:
            _set_route(route, document, rule, port, outlook)
            _set_action(route.route, rule.retries or Retries(), hashes, timeout=rule.timeout)
            if rule.fault is not None:
                route.typed_per_filter_config["fault"].CopyFrom(build_fault(rule.fault))
        yield route


def _clusters(
    document: VirtualService, rule: HttpRoute, port: int, outlook: Outlook
) -> list[tuple[str, int]]:
    """Where a rule leads, with the weights."""
    chosen = [each for each in rule.route if each.weight or len(rule.route) == 1]
    namespace = document.metadata.namespace
    return [(outlook.cluster(each.destination, namespace, port), each.weight) for each in chosen]


def _hashes(
    document: VirtualService, rule: HttpRoute, port: int, outlook: Outlook
) -> list[ConsistentHash | None]:
    clusters = dict.fromkeys(cluster for cluster, _ in _clusters(document, rule, port, outlook))
    return [outlook.consistent_hash(cluster) for cluster in clusters]


def _tell_refused(rule: HttpRoute, hashes: Sequence[ConsistentHash | None]) -> Iterator[str]:
    """What can not be left out without doing something else than is written."""
    if rule.redirect is not None:
        yield "a redirect"
    if rule.direct_response is not None:
        yield "a directResponse"
    if rule.rewrite is not None:
        yield "a rewrite"
    changes = [rule.headers, *(each.headers for each in rule.route)]
    if any(part for each in changes if each for part in (each.request, each.response)):
        yield "changes of headers"
    yield from (told for each in hashes if each is not None and (told := tell_hash(each)))


def tell_hash(consistent: ConsistentHash) -> str:
    """What gRPC's client can not hash; "" where it can."""
    if name := consistent.http_header_name:
        return f"the hash of {name}, which it does not see" if is_hidden(name) else ""
    if consistent.http_cookie:
        return f"the hash of the cookie {consistent.http_cookie.name}"
    return "the hash of the source address" if consistent.use_source_ip else "the hash of a query parameter"


def _tell_left_out(rule: HttpRoute) -> Iterator[str]:
    """What is left out, and calls are as they would be with it. CORS is for pages: it means nothing here."""
    if rule.mirror is not None or rule.mirrors:
        yield "copies (mirror)"
    if rule.retries is not None:
        if rule.retries.per_try_timeout:
            yield "perTryTimeout"
        if rule.retries.attempts > MOST_RETRIES:
            yield f"more than {MOST_RETRIES} retries"


def _set_route(route: Route, document: VirtualService, rule: HttpRoute, port: int, outlook: Outlook) -> None:
    clusters = _clusters(document, rule, port, outlook)
    if len(clusters) == 1:
        route.route.cluster = clusters[0][0]
        return
    for cluster, weight in clusters:
        route.route.weighted_clusters.clusters.add(name=cluster).weight.value = weight


def _set_action(
    action: RouteAction,
    retries: Retries,
    hashes: Sequence[ConsistentHash | None],
    *,
    timeout: timedelta | None = None,
) -> None:
    if timeout:
        action.max_stream_duration.max_stream_duration.FromTimedelta(timeout)
    if (policy := build_grpc_retries(retries)) is not None:
        action.retry_policy.CopyFrom(policy)
    for name in dict.fromkeys(each.http_header_name for each in hashes if each is not None):
        action.hash_policy.add().header.header_name = name.lower()


def build_grpc_retries(retries: Retries) -> RetryPolicy | None:
    """The policy; None where nothing is tried again."""
    words = [word.strip() for word in (retries.retry_on or RETRY_ON).split(",")]
    known = dict.fromkeys(RETRY_WORDS[word] for word in words if word in RETRY_WORDS)
    if not known or retries.attempts == 0:
        return None
    policy = RetryPolicy(retry_on=",".join(known))
    policy.num_retries.value = min(retries.attempts, MOST_RETRIES)
    if retries.backoff:
        policy.retry_back_off.base_interval.FromTimedelta(max(retries.backoff, timedelta(milliseconds=1)))
    return policy
