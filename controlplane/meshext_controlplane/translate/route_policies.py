"""What a route does beside sending a request on: retries, faults, CORS, mirrors, header fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from meshext_controlplane.model.fault import GRPC_CODES, Fault, Percent
from meshext_controlplane.model.header_operations import HOST_NAMES, HeaderOperations, Headers
from meshext_controlplane.model.http_route import CorsPolicy, Destination, HttpRoute, Retries
from meshext_controlplane.translate.messages import pack
from meshext_controlplane.translate.route_matches import build_string
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.config.route.v3 import route_components_pb2
from meshext_proto.envoy.extensions.filters.http.cors.v3 import cors_pb2
from meshext_proto.envoy.extensions.filters.http.fault.v3 import fault_pb2
from meshext_proto.envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2
from meshext_proto.envoy.type.v3 import percent_pb2
from meshext_proto.google.protobuf import any_pb2

RETRY_ON = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
"""When Istio tries again, unless it is told."""

HOST_ATTEMPTS = 40
"""How often another endpoint is looked for, before one that has failed is asked again.

Istio looks 5 times. Of two endpoints the one that is down has no open requests, so LEAST_REQUEST gives it in
three of four looks: of 5 none leads elsewhere in a quarter of all cases, of 40 in one of 100,000.
"""

MILLION = percent_pb2.FractionalPercent.MILLION
Append = base_pb2.HeaderValueOption.HeaderAppendAction
ClusterOf = Callable[[Destination], str]
Route = route_components_pb2.Route


def build_retries(retries: Retries) -> route_components_pb2.RetryPolicy | None:
    """The policy; None where nothing is tried again."""
    if retries.attempts == 0:
        return None
    words = [word.strip() for word in (retries.retry_on or RETRY_ON).split(",")]
    codes = [int(word) for word in words if word.isdigit()]
    conditions = [word for word in words if not word.isdigit()]
    if codes and "retriable-status-codes" not in conditions:
        conditions.append("retriable-status-codes")
    policy = route_components_pb2.RetryPolicy(retry_on=",".join(conditions), retriable_status_codes=codes)
    policy.num_retries.value = retries.attempts
    if retries.per_try_timeout:
        policy.per_try_timeout.FromTimedelta(retries.per_try_timeout)
    if retries.retry_ignore_previous_hosts:
        policy.retry_host_predicate.add(
            name="envoy.retry_host_predicates.previous_hosts",
            typed_config=pack(previous_hosts_pb2.PreviousHostsPredicate()),
        )
        policy.host_selection_retry_max_attempts = HOST_ATTEMPTS
    if retries.backoff:
        policy.retry_back_off.base_interval.FromTimedelta(max(retries.backoff, timedelta(milliseconds=1)))
    return policy


def build_fault(fault: Fault) -> any_pb2.Any:
    """The fault filter's word for one route."""
    built = fault_pb2.HTTPFault()
    if delay := fault.delay:
        built.delay.fixed_delay.FromTimedelta(delay.fixed_delay)
        built.delay.percentage.CopyFrom(build_share(delay.percentage or Percent()))
    if abort := fault.abort:
        if abort.http_status is not None:
            built.abort.http_status = abort.http_status
        elif abort.grpc_status is not None:
            code = abort.grpc_status
            built.abort.grpc_status = int(code) if code.isdigit() else GRPC_CODES.index(code)
        built.abort.percentage.CopyFrom(build_share(abort.percentage or Percent()))
    return pack(built)


def build_share(percent: Percent) -> percent_pb2.FractionalPercent:
    """A share of requests."""
    return percent_pb2.FractionalPercent(numerator=round(percent.value * 10_000), denominator=MILLION)


def build_cors(policy: CorsPolicy) -> any_pb2.Any:
    """The CORS filter's word for one route."""
    built = cors_pb2.CorsPolicy(
        allow_origin_string_match=[build_string(each) for each in policy.allow_origins],
        allow_methods=",".join(policy.allow_methods),
        allow_headers=",".join(policy.allow_headers),
        expose_headers=",".join(policy.expose_headers),
    )
    built.filter_enabled.default_value.numerator = 100
    built.forward_not_matching_preflights.value = policy.unmatched_preflights != "IGNORE"
    if policy.max_age is not None:
        built.max_age = str(round(policy.max_age.total_seconds()))
    if policy.allow_credentials is not None:
        built.allow_credentials.value = policy.allow_credentials
    return pack(built)


def set_mirrors(action: route_components_pb2.RouteAction, route: HttpRoute, cluster_of: ClusterOf) -> None:
    """Copies of requests go to these as well; a share of 0 is none."""
    mirrors = [(each.destination, each.percentage) for each in route.mirrors]
    if route.mirror is not None:
        mirrors.append((route.mirror, route.mirror_percentage))
    for destination, percentage in mirrors:
        share = percentage or Percent(value=100.0)
        if share.value > 0:
            mirror = action.request_mirror_policies.add(cluster=cluster_of(destination))
            mirror.runtime_fraction.default_value.CopyFrom(build_share(share))


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of header fields, as a route or one of its destinations has them; `host` replaces the host."""

    to_add: list[base_pb2.HeaderValueOption]
    to_remove: list[str]
    response_to_add: list[base_pb2.HeaderValueOption]
    response_to_remove: list[str]
    host: str = ""


def build_changes(headers: Headers | None) -> Changes:
    """What the document says."""
    headers = headers or Headers()
    request, response = headers.request or HeaderOperations(), headers.response or HeaderOperations()
    hosts = [value for name, value in request.set.items() if name.lower() in HOST_NAMES]
    return Changes(
        _to_add(request), list(request.remove), _to_add(response), list(response.remove), *hosts[:1]
    )


def set_changes(built: Route | route_components_pb2.WeightedCluster.ClusterWeight, changes: Changes) -> None:
    """Write them, behind those that are there."""
    built.request_headers_to_add.extend(changes.to_add)
    built.request_headers_to_remove.extend(changes.to_remove)
    built.response_headers_to_add.extend(changes.response_to_add)
    built.response_headers_to_remove.extend(changes.response_to_remove)


def _to_add(operations: HeaderOperations) -> list[base_pb2.HeaderValueOption]:
    options = [(name, value, Append.OVERWRITE_IF_EXISTS_OR_ADD) for name, value in operations.set.items()]
    options += [(name, value, Append.APPEND_IF_EXISTS_OR_ADD) for name, value in operations.add.items()]
    return [
        base_pb2.HeaderValueOption(header=base_pb2.HeaderValue(key=name, value=value), append_action=action)
        for name, value, action in options
        if name.lower() not in HOST_NAMES
    ]
