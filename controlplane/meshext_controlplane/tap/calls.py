"""One HTTP exchange as a sidecar has logged it: who called whom, what came of it, and what refused it.

From `envoy.data.accesslog.v3.HTTPAccessLogEntry`. Everything in it but identities is written by clients, so
texts are cut to `LONGEST` characters here, once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from meshext.plan import DETAILS_NAMESPACE
from meshext_proto.envoy.config.core.v3 import address_pb2, base_pb2
from meshext_proto.envoy.data.accesslog.v3 import accesslog_pb2
from meshext_proto.google.protobuf import duration_pb2, struct_pb2

LONGEST = 512  # characters of a path or another text
MOST_VALUES = 64  # of what one filter wrote

_PASSED = "via_upstream"
_NOWHERE = "block_all"  # the route of hosts that no document names, as translate/passing
_POLICY = re.compile(r"ns\[(?P<namespace>[^]]*)\]-policy\[(?P<name>[^]]*)\]-rule\[\d+\]")  # as translate/rbac
_RBAC = re.compile(r"rbac_access_denied_matched_policy\[(?P<policy>.*)\]")
_FILTERS = {
    "rate_limited": "rate-limit",
    "rate_limit_unclear": "rate-limit",
    "rate_limit_store_away": "rate-limit",
}
"""Details that filters that ship give to their answers, and whose they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One exchange, seen by the sidecar `node` (`WORKLOAD.NAMESPACE`).

    `peer` is the SPIFFE ID in the client's certificate and `server` the one that was shown to it, "" without
    TLS. `cluster` is where Envoy would have sent it, `details` `%RESPONSE_CODE_DETAILS%` or, where a filter
    answered by ext_authz, its own. `start` is in seconds since 1970, `duration` in seconds. `filters` is what
    Python filters wrote with `set_metadata`, by the filter's name; values that are no text, number or truth
    are "".
    """

    node: str
    start: float
    duration: float
    method: str
    authority: str
    path: str
    code: int
    details: str
    peer: str = ""
    server: str = ""
    client: str = ""
    address: str = ""
    cluster: str = ""
    route: str = ""
    request_id: str = ""
    filters: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def inbound(self) -> bool:
        """Whether the sidecar stood before the application that was called, not beside the caller."""
        return bool(self.server) or self.cluster.startswith("inbound|")

    @property
    def refused_by(self) -> str:
        """What answered in place of the upstream, "" where the upstream did.

        `AuthorizationPolicy shop/no-admin`, `rate-limit`, or Envoy's own word for it.
        """
        if self.details in ("", _PASSED):
            return ""
        if self.route == _NOWHERE:
            return "REGISTRY_ONLY"
        found = _RBAC.fullmatch(self.details)
        if found is None:
            return _FILTERS.get(self.details, self.details)
        policy = _POLICY.search(found["policy"])
        return f"AuthorizationPolicy {policy['namespace']}/{policy['name']}" if policy else "no ALLOW matched"

    @property
    def subset(self) -> str:
        """The subset of the service that it went to: clusters are `outbound|PORT|SUBSET|HOST`."""
        parts = self.cluster.split("|")
        return parts[2] if len(parts) == 4 and parts[0] == "outbound" else ""


def to_call(entry: accesslog_pb2.HTTPAccessLogEntry, node: str) -> Call:
    """The record of an entry that came in the stream of `node`. Total: what is missing is empty."""
    common, request, response = entry.common_properties, entry.request, entry.response
    tls = common.tls_properties
    return Call(
        node=node[:LONGEST],
        start=common.start_time.seconds + common.start_time.nanos / 1e9,
        duration=to_seconds(common.time_to_last_downstream_tx_byte),
        method=request_method(request),
        authority=request.authority[:LONGEST],
        path=(request.original_path or request.path)[:LONGEST],
        code=response.response_code.value,
        details=find_details(entry),
        peer=find_uri(tls.peer_certificate_properties),
        server=find_uri(tls.local_certificate_properties),
        client=to_text(common.downstream_direct_remote_address),
        address=to_text(common.downstream_local_address),
        cluster=common.upstream_cluster[:LONGEST],
        route=common.route_name[:LONGEST],
        request_id=request.request_id[:LONGEST],
        filters=MappingProxyType(find_written(common.metadata)),
    )


def find_details(entry: accesslog_pb2.HTTPAccessLogEntry) -> str:
    """Why the code is what it is. ext_authz has one word for every answer of a filter: the filter's own
    travel as metadata."""
    written = entry.common_properties.metadata.filter_metadata
    if DETAILS_NAMESPACE in written:
        own = written[DETAILS_NAMESPACE].fields
        if "details" in own and (text := own["details"].string_value):
            return text[:LONGEST]
    return entry.response.response_code_details[:LONGEST]


def find_written(metadata: base_pb2.Metadata) -> dict[str, Mapping[str, str]]:
    """What filters of ours wrote; their namespaces are `meshext.NAME`."""
    mark = f"{DETAILS_NAMESPACE}."
    return {
        namespace.removeprefix(mark)[:LONGEST]: MappingProxyType(
            {
                key[:LONGEST]: to_plain(struct.fields[key])[:LONGEST]
                for key in sorted(struct.fields)[:MOST_VALUES]
            }
        )
        for namespace, struct in metadata.filter_metadata.items()
        if namespace.startswith(mark)
    }


def to_plain(value: struct_pb2.Value) -> str:
    """A scalar as text, "" for what is none."""
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            return f"{value.number_value:g}"
        case "bool_value":
            return str(value.bool_value).lower()
        case _:
            return ""


def request_method(request: accesslog_pb2.HTTPRequestProperties) -> str:
    """`GET`, ...; "" where Envoy does not know it."""
    name = base_pb2.RequestMethod.Name(request.request_method)
    return "" if name == "METHOD_UNSPECIFIED" else name


def find_uri(certificate: accesslog_pb2.TLSProperties.CertificateProperties) -> str:
    """The URI name of a certificate, of which an SVID has exactly one."""
    return next((name.uri for name in certificate.subject_alt_name if name.uri), "")[:LONGEST]


def to_seconds(duration: duration_pb2.Duration) -> float:
    """A length of time."""
    return float(duration.seconds) + duration.nanos / 1e9


def to_text(address: address_pb2.Address) -> str:
    """`HOST:PORT`, or the path of a Unix socket."""
    if address.HasField("socket_address"):
        return f"{address.socket_address.address}:{address.socket_address.port_value}"
    return str(address.pipe.path)
