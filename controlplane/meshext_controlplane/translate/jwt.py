"""RequestAuthentication -> `jwt_authn`: a bad token is refused, a request without one goes on.

All rules of all documents that select the workload, by issuer. Claims are left under `payload` in the
metadata `envoy.filters.http.jwt_authn`, where RBAC and filters look. Where keys are fetched, Envoy fetches
them: until it has them, and where it can not get them, tokens are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.request_authentication import JwtRule, RequestAuthentication
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.snapshot import Resource, encode_resource
from meshext_controlplane.translate.custom import Serves
from meshext_controlplane.translate.http_filters import HttpFilter
from meshext_controlplane.translate.messages import build_address, is_ip, pack
from meshext_controlplane.translate.names import name_outbound
from meshext_controlplane.translate.rbac import JWT_FILTER, PAYLOAD
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.config.core.v3 import base_pb2, http_uri_pb2
from meshext_proto.envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from meshext_proto.envoy.extensions.filters.http.jwt_authn.v3 import config_pb2
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2

CACHE = 1200
"""Seconds that Envoy keeps fetched keys: Istio's 20 minutes."""

FETCH_TIMEOUT = 5
"""Seconds, where the rule says nothing: Istio's."""

BEARER = "Bearer "

SPACE_DELIMITED = ("scope", "permission")
"""Claims that are taken apart at spaces whatever a rule says, as in Istio."""

SYSTEM_ROOTS = "/etc/ssl/certs/ca-certificates.crt"
Authentication = config_pb2.JwtAuthentication


@dataclass(frozen=True, slots=True)
class Keys:
    """Where a key set is fetched: the URL, and the cluster that leads there."""

    uri: str
    cluster: str
    own_cluster: bool


def find_rules(mesh: Mesh, workload: Workload) -> tuple[JwtRule, ...]:
    """The rules for a workload, by issuer."""
    rules = [rule for document in select_documents(mesh, workload) for rule in document.spec.jwt_rules]
    return tuple(sorted(rules, key=lambda rule: rule.issuer))


def select_documents(mesh: Mesh, workload: Workload) -> tuple[RequestAuthentication, ...]:
    """The documents that apply to a workload: the root namespace's and its own namespace's."""
    namespaces = (mesh.config.root_namespace, workload.namespace)
    return tuple(
        document
        for document in mesh.of(RequestAuthentication)
        if document.metadata.namespace in namespaces
        and (document.spec.selector is None or document.spec.selector.selects(workload.labels))
    )


def build_jwt(rules: Sequence[JwtRule], serves: Serves) -> tuple[HttpFilter | None, tuple[Resource, ...]]:
    """The filter for the place `jwt`, and the clusters that it fetches keys by; None without rules."""
    if not rules:
        return None, ()
    message = Authentication(bypass_cors_preflight=True)
    keys = [find_keys(rule, serves) for rule in rules]
    names = []
    for number, (rule, found) in enumerate(zip(rules, keys, strict=True)):
        names.append(f"origins-{number}")
        message.providers[names[-1]].CopyFrom(build_provider(rule, found))
    message.rules.add(match={"prefix": "/"}, requires=build_requirement(names))
    clusters = {each.cluster: build_keys_cluster(each) for each in keys if each and each.own_cluster}
    return HttpFilter(name=JWT_FILTER, typed_config=pack(message)), tuple(clusters.values())


def build_provider(rule: JwtRule, keys: Keys | None) -> config_pb2.JwtProvider:
    """One rule."""
    provider = config_pb2.JwtProvider(
        issuer=rule.issuer,
        audiences=rule.audiences,
        forward=rule.forward_original_token,
        payload_in_metadata=PAYLOAD,
        forward_payload_header=rule.output_payload_to_header or "",
        from_params=rule.from_params,
        from_cookies=rule.from_cookies,
    )
    for header in rule.from_headers:
        provider.from_headers.add(name=header.name, value_prefix=header.prefix)
    if not (rule.from_headers or rule.from_params or rule.from_cookies):
        provider.from_headers.add(name="authorization", value_prefix=BEARER)
        provider.from_params.append("access_token")
    for claim in rule.output_claim_to_headers:
        provider.claim_to_headers.add(header_name=claim.header, claim_name=claim.claim)
    claims = dict.fromkeys((*SPACE_DELIMITED, *rule.space_delimited_claims))
    provider.normalize_payload_in_metadata.space_delimited_claims.extend(claims)
    if keys is None:
        provider.local_jwks.inline_string = rule.jwks or ""
        return provider
    timeout = rule.timeout.total_seconds() if rule.timeout else FETCH_TIMEOUT
    uri = http_uri_pb2.HttpUri(uri=keys.uri, cluster=keys.cluster)
    uri.timeout.FromMilliseconds(int(timeout * 1000))
    provider.remote_jwks.http_uri.CopyFrom(uri)
    provider.remote_jwks.cache_duration.seconds = CACHE
    provider.remote_jwks.async_fetch.fast_listener = True
    return provider


def build_requirement(names: Sequence[str]) -> config_pb2.JwtRequirement:
    """A token of one of the providers, or none: Istio's form."""
    requirement = config_pb2.JwtRequirement()
    options = requirement.requires_any.requirements
    if len(names) == 1:
        options.add(provider_name=names[0])
        options.add(allow_missing={})
        return requirement
    for name in names:
        options.add(provider_name=name)
    every = options.add().requires_all.requirements
    for name in names:
        either = every.add().requires_any.requirements
        either.add(provider_name=name)
        either.add(allow_missing={})
    return requirement


# -- keys that are fetched -----------------------------------------------------------------------------


def find_keys(rule: JwtRule, serves: Serves) -> Keys | None:
    """Where the rule's keys are fetched; None where they are in the rule."""
    if rule.jwks_uri is None:
        return None
    parts = urlsplit(rule.jwks_uri)
    host, port = parts.hostname or "", port_of(parts)
    if parts.scheme == "http" and serves(host, port):
        return Keys(rule.jwks_uri, name_outbound(port, "", host), own_cluster=False)
    return Keys(rule.jwks_uri, f"jwks|{parts.scheme}|{port}|{host}", own_cluster=True)


def port_of(parts: SplitResult) -> int:
    """The port of a URL, said or not."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def build_keys_cluster(keys: Keys) -> Resource:
    """A cluster to the host of a key set outside of the mesh; https is checked against the system's roots."""
    parts = urlsplit(keys.uri)
    host = parts.hostname or ""
    kind = cluster_pb2.Cluster.STATIC if is_ip(host) else cluster_pb2.Cluster.STRICT_DNS
    cluster = cluster_pb2.Cluster(name=keys.cluster, type=kind)
    cluster.connect_timeout.seconds = FETCH_TIMEOUT
    endpoint = endpoint_components_pb2.Endpoint(address=build_address(host, port_of(parts)))
    group = endpoint_components_pb2.LocalityLbEndpoints(
        lb_endpoints=[endpoint_components_pb2.LbEndpoint(endpoint=endpoint)]
    )
    cluster.load_assignment.CopyFrom(
        endpoint_pb2.ClusterLoadAssignment(cluster_name=keys.cluster, endpoints=[group])
    )
    if parts.scheme == "https":
        cluster.transport_socket.name = "envoy.transport_sockets.tls"
        cluster.transport_socket.typed_config.CopyFrom(pack(build_system_tls(host)))
    return encode_resource(keys.cluster, cluster)


def build_system_tls(host: str) -> tls_pb2.UpstreamTlsContext:
    """TLS to a host of the Internet, its certificate checked against the system's roots and its name."""
    context = tls_pb2.UpstreamTlsContext(sni="" if is_ip(host) else host)
    validation = context.common_tls_context.validation_context
    validation.trusted_ca.CopyFrom(base_pb2.DataSource(filename=SYSTEM_ROOTS))
    san_type = common_pb2.SubjectAltNameMatcher
    validation.match_typed_subject_alt_names.add(
        san_type=san_type.IP_ADDRESS if is_ip(host) else san_type.DNS, matcher={"exact": host}
    )
    return context
