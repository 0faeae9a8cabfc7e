"""What a VirtualService's rules become: Envoy's routes, one for each match, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from meshext_controlplane.model.http_route import (
    Destination,
    HttpDestination,
    HttpMatch,
    HttpRoute,
    Redirect,
    Retries,
)
from meshext_controlplane.model.virtual_service import VirtualService
from meshext_controlplane.translate.balancing import HashPolicy
from meshext_controlplane.translate.route_matches import Source, build_match, is_catch_all, is_for
from meshext_controlplane.translate.route_policies import (
    Route,
    build_changes,
    build_cors,
    build_fault,
    build_retries,
    set_changes,
    set_mirrors,
)
from meshext_proto.envoy.config.route.v3 import route_components_pb2

RouteAction = route_components_pb2.RouteAction
RedirectAction = route_components_pb2.RedirectAction
_CODES = {
    301: RedirectAction.MOVED_PERMANENTLY,
    302: RedirectAction.FOUND,
    303: RedirectAction.SEE_OTHER,
    307: RedirectAction.TEMPORARY_REDIRECT,
    308: RedirectAction.PERMANENT_REDIRECT,
}


class Destinations(Protocol):
    """Where a document's destinations lead, for one client."""

    def cluster(self, destination: Destination, namespace: str, port: int) -> str:
        """The cluster of a destination in a document of that namespace, for requests to that port."""

    def hash_policy(self, cluster: str) -> HashPolicy | None:
        """What requests to that cluster are known by; None where it does not matter."""


def build_default_route(cluster: str, destinations: Destinations) -> Route:
    """The route of a service that no VirtualService speaks of."""
    route = Route(name="default")
    route.match.prefix = "/"
    route.route.cluster = cluster
    _set_action_defaults(route.route, Retries(), destinations, [cluster])
    return route


def build_routes(
    document: VirtualService, source: Source, port: int, destinations: Destinations
) -> list[Route]:
    """The routes of a document for requests of a client to a port; what no request can reach is left out."""
    routes: list[Route] = []
    for rule, match in pair_matches(document, source, port):
        routes.append(_build_route(document, rule, match, port, destinations))
        if is_catch_all(match):
            break
    return routes


def pair_matches(
    document: VirtualService, source: Source, port: int
) -> Iterator[tuple[HttpRoute, HttpMatch | None]]:
    """The rules of a document for requests of a client to a port, each with every match that it has."""
    for rule in document.spec.http:
        if not rule.match:
            yield rule, None
        for match in rule.match:
            if is_for(match, source, port, document.metadata.namespace):
                yield rule, match


def _build_route(
    document: VirtualService, rule: HttpRoute, match: HttpMatch | None, port: int, destinations: Destinations
) -> Route:
    names = (rule.name, match.name if match else "")
    route = Route(name=".".join(name for name in names if name), match=build_match(match))
    if match and match.stat_prefix:
        route.stat_prefix = match.stat_prefix
    if rule.redirect is not None:
        route.redirect.CopyFrom(_build_redirect(rule.redirect, port))
    elif rule.direct_response is not None:
        route.direct_response.status = rule.direct_response.status
        if rule.direct_response.body is not None:
            route.direct_response.body.inline_string = rule.direct_response.body.string
    else:
        _set_action(route, document, rule, port, destinations)
    set_changes(route, build_changes(rule.headers))
    if rule.fault is not None:
        route.typed_per_filter_config["fault"].CopyFrom(build_fault(rule.fault))
    if rule.cors_policy is not None:
        route.typed_per_filter_config["cors"].CopyFrom(build_cors(rule.cors_policy))
    return route


def _set_action(
    route: Route, document: VirtualService, rule: HttpRoute, port: int, destinations: Destinations
) -> None:
    namespace = document.metadata.namespace
    chosen = [each for each in rule.route if each.weight or len(rule.route) == 1]
    clusters = [destinations.cluster(each.destination, namespace, port) for each in chosen]
    _set_clusters(route, list(zip(chosen, clusters, strict=True)))
    action = route.route
    _set_action_defaults(action, rule.retries or Retries(), destinations, clusters)
    if rule.timeout is not None:
        action.timeout.FromTimedelta(rule.timeout)
    set_mirrors(action, rule, lambda each: destinations.cluster(each, namespace, port))
    host = build_changes(rule.headers).host
    if rewrite := rule.rewrite:
        action.prefix_rewrite = rewrite.uri
        if regex := rewrite.uri_regex_rewrite:
            action.regex_rewrite.pattern.regex = regex.match
            action.regex_rewrite.substitution = regex.rewrite
        host = rewrite.authority or host
    if host:
        action.host_rewrite_literal = host


def _set_clusters(route: Route, chosen: Sequence[tuple[HttpDestination, str]]) -> None:
    if len(chosen) == 1:
        destination, cluster = chosen[0]
        changes = build_changes(destination.headers)
        route.route.cluster = cluster
        set_changes(route, changes)
        if changes.host:
            route.route.host_rewrite_literal = changes.host
        return
    for destination, cluster in chosen:
        changes = build_changes(destination.headers)
        weighted = route.route.weighted_clusters.clusters.add(name=cluster)
        weighted.weight.value = destination.weight
        set_changes(weighted, changes)
        if changes.host:
            weighted.host_rewrite_literal = changes.host


def _set_action_defaults(
    action: RouteAction, retries: Retries, destinations: Destinations, clusters: Sequence[str]
) -> None:
    action.timeout.seconds = 0
    if (policy := build_retries(retries)) is not None:
        action.retry_policy.CopyFrom(policy)
    for cluster in dict.fromkeys(clusters):
        if (hashed := destinations.hash_policy(cluster)) is not None:
            action.hash_policy.append(hashed)


def _build_redirect(redirect: Redirect, port: int) -> RedirectAction:
    built = RedirectAction(host_redirect=redirect.authority, response_code=_CODES[redirect.redirect_code])
    if redirect.prefix_rewrite:
        built.prefix_rewrite = redirect.prefix_rewrite
    elif redirect.uri:
        built.path_redirect = redirect.uri
    if redirect.scheme:
        built.scheme_redirect = redirect.scheme
    if redirect.derive_port == "FROM_REQUEST_PORT":
        built.port_redirect = port
    elif redirect.port is not None:
        built.port_redirect = redirect.port
    return built
