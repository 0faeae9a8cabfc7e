"""AuthorizationPolicy CUSTOM: a service is asked where a rule matches, and only there.

For each provider a pair of filters: RBAC whose shadow rules leave a note in the request's metadata, and
ext_authz that is on where the note is there. The note's name has the provider's in it, so providers whose
names begin alike do not meet, and several may be asked in turn. A provider that is missing, or can not be
used, is no reason to let the request in: what its rules match is denied.

The filters stand in the listener, the rules on routes. Istio's own: `istio_ext_authz_` as the note's prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from meshext.policy.model import Action, Policy
from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.model.providers import (
    ExtAuthz,
    ExtAuthzGrpc,
    ExtAuthzHttp,
    FilterProvider,
    Provider,
)
from meshext_controlplane.translate.authorization import build_network_filter, pack_on_route
from meshext_controlplane.translate.filter_config import BuiltFilter
from meshext_controlplane.translate.http_filters import HttpFilter
from meshext_controlplane.translate.matchers import Data
from meshext_controlplane.translate.messages import pack
from meshext_controlplane.translate.names import name_outbound
from meshext_controlplane.translate.rbac import HTTP_FILTER, TCP_FILTER, Target, emit_rules
from meshext_proto.envoy.config.core.v3 import config_source_pb2, grpc_service_pb2, http_uri_pb2
from meshext_proto.envoy.config.listener.v3 import listener_components_pb2 as components_pb2
from meshext_proto.envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2 as http_pb2
from meshext_proto.envoy.extensions.filters.http.rbac.v3 import rbac_pb2
from meshext_proto.envoy.extensions.filters.network.ext_authz.v3 import ext_authz_pb2 as tcp_pb2
from meshext_proto.envoy.type.matcher.v3 import metadata_pb2, string_pb2
from meshext_proto.envoy.type.v3 import http_status_pb2
from meshext_proto.google.protobuf import any_pb2, duration_pb2

V3 = config_source_pb2.V3
NOTE = "istio_ext_authz_"
EFFECTIVE_POLICY = "shadow_effective_policy_id"
TIMEOUT = 600.0
"""Seconds: Istio's, where the provider says nothing."""

DENIED = "custom-denied"
Serves = Callable[[str, int], bool]
"""Whether the mesh has a service of that host and port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A provider and the policies that ask it; `authz` is None where it can not be asked.

    For a Python filter it is the filter as it would stand alone.
    """

    provider: str
    policies: tuple[Policy, ...]
    authz: ExtAuthz | BuiltFilter | None

    @property
    def note(self) -> str:
        """What the names of its notes begin with."""
        return f"{NOTE}{self.provider}_"

    @property
    def rules_filter(self) -> str:
        """The name of its RBAC filter."""
        return f"custom-rules-{self.provider}"


FindFilter = Callable[[FilterProvider, str], "BuiltFilter | None"]
"""The filter of a provider of that name; None where its class does not load."""


def find_asked(
    policies: Sequence[Policy], config: MeshConfigSpec, serves: Serves, find_filter: FindFilter
) -> list[Asked]:
    """The providers that a workload's policies name, by name; a policy in dry run asks nobody."""
    names = {each.provider for each in policies if each.action is Action.CUSTOM and not each.dry_run}
    return [
        Asked(
            provider=name,
            policies=tuple(
                each
                for each in policies
                if each.action is Action.CUSTOM and each.provider == name and not each.dry_run
            ),
            authz=find_authz(config.provider(name), serves, find_filter),
        )
        for name in sorted(names)
    ]


def find_authz(
    provider: Provider | None, serves: Serves, find_filter: FindFilter
) -> ExtAuthz | BuiltFilter | None:
    """How the provider is asked; None where it does not exist, is of another kind, or has no service."""
    if provider is None or (provider.service is not None and not serves(*provider.service)):
        return None
    if provider.meshext_filter is not None:
        return find_filter(provider.meshext_filter, provider.name)
    return provider.ext_authz


# -- HTTP ----------------------------------------------------------------------------------------------


def build_http_custom(asked: Sequence[Asked]) -> list[HttpFilter]:
    """The filters for the place `custom`."""
    filters: list[HttpFilter] = []
    if any(each.authz is None for each in asked):
        filters.append(HttpFilter(name=DENIED, typed_config=pack(rbac_pb2.RBAC())))
    for each in asked:
        if each.authz is not None:
            rules = rbac_pb2.RBAC(shadow_rules_stat_prefix=each.note)
            filters.append(HttpFilter(name=each.rules_filter, typed_config=pack(rules)))
            filters += build_asking(each, each.authz)
    return filters


def build_custom_rules(asked: Sequence[Asked], target: Target) -> dict[str, any_pb2.Any]:
    """What stands on routes for these filters."""
    rules = {
        each.rules_filter: pack_on_route(_shadow(each, target)) for each in asked if each.authz is not None
    }
    if denied := _denied(asked, target):
        rules[DENIED] = pack_on_route({"rules": denied})
    return rules


def build_asking(asked: Asked, authz: ExtAuthz | BuiltFilter) -> list[HttpFilter]:
    """What asks the provider where its note is there."""
    name = f"custom-{asked.provider}"
    if isinstance(authz, ExtAuthz):
        return [HttpFilter(name=name, typed_config=pack(build_http_authz(asked, authz)))]
    message = http_pb2.ExtAuthz()
    authz.asking.typed_config.Unpack(message)
    message.filter_enabled_metadata.CopyFrom(_noted(HTTP_FILTER, asked))
    beside = [HttpFilter(name=f"{name}|beside", typed_config=each.typed_config) for each in authz.beside]
    return [HttpFilter(name=name, typed_config=pack(message)), *beside]


def build_http_authz(asked: Asked, authz: ExtAuthz) -> http_pb2.ExtAuthz:
    """ext_authz that asks where the provider's note is there."""
    message = http_pb2.ExtAuthz(
        transport_api_version=V3,
        failure_mode_allow=authz.fail_open,
        clear_route_cache=authz.clear_route_cache,
        filter_enabled_metadata=_noted(HTTP_FILTER, asked),
        stat_prefix=asked.provider,
        include_peer_certificate=True,
        validate_mutations=True,
    )
    status = http_status_pb2.HttpStatus(code=http_status_pb2.StatusCode.Name(int(authz.status_on_error)))
    message.status_on_error.CopyFrom(status)
    body = authz.include_request_body_in_check
    if body is not None:
        message.with_request_body.max_request_bytes = body.max_request_bytes
        message.with_request_body.allow_partial_message = body.allow_partial_message
        message.with_request_body.pack_as_bytes = body.pack_as_bytes
    if isinstance(authz, ExtAuthzHttp):
        _set_http_service(message, authz)
    else:
        message.grpc_service.CopyFrom(_build_grpc(authz))
    return message


def _set_http_service(message: http_pb2.ExtAuthz, authz: ExtAuthzHttp) -> None:
    host = authz.service.rpartition("/")[2]
    uri = http_uri_pb2.HttpUri(uri=f"http://{host}", cluster=_cluster(authz), timeout=_timeout(authz))
    service = message.http_service
    service.server_uri.CopyFrom(uri)
    service.path_prefix = authz.path_prefix
    _set_patterns(message.allowed_headers, authz.include_request_headers_in_check)
    for name, value in authz.include_additional_headers_in_check.items():
        service.authorization_request.headers_to_add.add(key=name, value=value)
    answer = service.authorization_response
    _set_patterns(answer.allowed_upstream_headers, authz.headers_to_upstream_on_allow)
    _set_patterns(answer.allowed_client_headers, authz.headers_to_downstream_on_deny)
    _set_patterns(answer.allowed_client_headers_on_success, authz.headers_to_downstream_on_allow)


def _set_patterns(matcher: string_pb2.ListStringMatcher, patterns: Sequence[str]) -> None:
    """Names of headers: exact, `x*` or `*x`."""
    for pattern in patterns:
        if pattern == "*":
            matcher.patterns.add(safe_regex={"regex": ".+"})
        elif pattern.endswith("*"):
            matcher.patterns.add(prefix=pattern[:-1], ignore_case=True)
        elif pattern.startswith("*"):
            matcher.patterns.add(suffix=pattern[1:], ignore_case=True)
        else:
            matcher.patterns.add(exact=pattern, ignore_case=True)


# -- TCP -----------------------------------------------------------------------------------------------


def build_network_custom(asked: Sequence[Asked], target: Target) -> list[components_pb2.Filter]:
    """The network filters of a port that is not HTTP.

    A provider that only knows HTTP can not be asked there: what its rules match is denied. Istio lets it in.
    """
    filters: list[components_pb2.Filter] = []
    unable = [each if isinstance(each.authz, ExtAuthzGrpc) else replace(each, authz=None) for each in asked]
    if denied := _denied(unable, target):
        filters.append(build_network_filter({"rules": denied, "stat_prefix": "tcp."}))
    for each in asked:
        if isinstance(each.authz, ExtAuthzGrpc):
            filters.append(build_network_filter(_shadow(each, target) | {"stat_prefix": "tcp."}))
            filters.append(_build_network_authz(each, each.authz))
    return filters


def _build_network_authz(asked: Asked, authz: ExtAuthzGrpc) -> components_pb2.Filter:
    message = tcp_pb2.ExtAuthz(
        stat_prefix=asked.provider,
        transport_api_version=V3,
        failure_mode_allow=authz.fail_open,
        include_peer_certificate=True,
        grpc_service=_build_grpc(authz),
        filter_enabled_metadata=_noted(TCP_FILTER, asked),
    )
    return components_pb2.Filter(name="envoy.filters.network.ext_authz", typed_config=pack(message))


# -- both ----------------------------------------------------------------------------------------------


def _shadow(asked: Asked, target: Target) -> Data:
    rules = emit_rules(Action.DENY, asked.policies, target)
    named = {f"istio-ext-authz-{asked.provider}-{name}": rule for name, rule in rules["policies"].items()}
    return {"shadow_rules": {**rules, "policies": named}, "shadow_rules_stat_prefix": asked.note}


def _denied(asked: Sequence[Asked], target: Target) -> Data | None:
    """Enforced rules for what would have to be asked about, and can not."""
    policies = [policy for each in asked if each.authz is None for policy in each.policies]
    if not policies:
        return None
    rules = emit_rules(Action.DENY, policies, target)
    named = {f"{name}-deny-due-to-bad-CUSTOM-action": rule for name, rule in rules["policies"].items()}
    return {**rules, "policies": named}


def _noted(namespace: str, asked: Asked) -> metadata_pb2.MetadataMatcher:
    matcher = metadata_pb2.MetadataMatcher(filter=namespace)
    matcher.path.add(key=asked.note + EFFECTIVE_POLICY)
    matcher.value.string_match.prefix = f"istio-ext-authz-{asked.provider}-"
    return matcher


def _build_grpc(authz: ExtAuthz) -> grpc_service_pb2.GrpcService:
    host = authz.service.rpartition("/")[2]
    envoy = grpc_service_pb2.GrpcService.EnvoyGrpc(cluster_name=_cluster(authz), authority=host)
    return grpc_service_pb2.GrpcService(envoy_grpc=envoy, timeout=_timeout(authz))


def _cluster(authz: ExtAuthz) -> str:
    return name_outbound(authz.port, "", authz.service.rpartition("/")[2])


def _timeout(authz: ExtAuthz) -> duration_pb2.Duration:
    timeout = duration_pb2.Duration()
    timeout.FromMicroseconds(int((authz.timeout.total_seconds() if authz.timeout else TIMEOUT) * 1e6))
    return timeout
