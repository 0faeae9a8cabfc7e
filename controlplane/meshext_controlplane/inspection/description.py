"""What a description of a workload holds: plain data, in the order in which it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedProxy:
    """The workload's proxy; `kind` is "grpc" where its gRPC is that itself.

    `types` is (CDS or EDS and so on; SYNCED, STALE, NACKED or NOT SENT; why).
    """

    connected: bool
    kind: str = ""
    synced: bool = False
    envoy: str = ""
    problem: str = ""
    types: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedPort:
    """A port of the workload: what it speaks, what it takes from peers, and the document that says so.

    `decided_by` is `namespace/name` of a PeerAuthentication, "" where none speaks of it.
    """

    number: int
    name: str
    protocol: str
    application: str
    mtls: str
    decided_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedServer:
    """A server of a Gateway at this gateway: `port` as it is written, `listens` where it is at its address.

    `tls` is its mode, "redirect" to HTTPS, or "". `secrets` are those that it needs, `missing` whether one
    is not there or no good, so that the hosts are not served. `virtual_services` are those for it.
    """

    gateway: str
    name: str
    port: int
    listens: int
    bind: str
    protocol: str
    hosts: tuple[str, ...]
    tls: str
    secrets: tuple[str, ...]
    missing: bool
    virtual_services: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedService:
    """A port of a service that the workload is behind; `workload_port` is 0 where it leads nowhere."""

    host: str
    port: int
    name: str
    protocol: str
    workload_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedAuthorization:
    """An AuthorizationPolicy; `provider` is that of CUSTOM."""

    policy: str
    action: str
    dry_run: bool
    rules: int
    provider: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedTokens:
    """A RequestAuthentication."""

    policy: str
    issuers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedFilter:
    """A FilterPolicy; `mode` is "" where its class does not load, `phase` where it is the last.

    `service` is `HOST:PORT` of the mesh's service that runs it, "" where the sidecar does.
    """

    policy: str
    direction: str
    phase: str
    mode: str
    filter: str
    service: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedTelemetry:
    """What comes out of all Telemetry documents that apply: `documents` the widest first.

    `logs` is (CLIENT or SERVER, provider); `tracing` the provider of spans, of `sampling` percent.
    """

    documents: tuple[str, ...] = ()
    logs: tuple[tuple[str, str], ...] = ()
    tracing: str = ""
    sampling: float = 0.0
    metrics: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One destination of a route: `route` is its name or number, `share` the weight or `mirror`.

    `here` is whether the workload is among the endpoints that it leads to.
    """

    route: str
    subset: str
    share: str
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedRoutes:
    """A VirtualService that speaks of the host or leads to it.

    `callers` are the namespaces whose calls it decides about, as far as workloads are there; none where
    another document comes first for all of them.
    """

    document: str
    host: str
    callers: tuple[str, ...]
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedRule:
    """A DestinationRule for the host; `subsets` are those whose labels the workload has, and the others."""

    document: str
    host: str
    callers: tuple[str, ...]
    subsets: tuple[str, ...] = ()
    other_subsets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """All that concerns one workload."""

    name: str
    namespace: str
    identity: str
    address: str
    state: str
    locality: str
    labels: dict[str, str]
    proxy: DescribedProxy
    ports: tuple[DescribedPort, ...]
    services: tuple[DescribedService, ...]
    authorization: tuple[DescribedAuthorization, ...]
    request_authentications: tuple[DescribedTokens, ...]
    filters: tuple[DescribedFilter, ...]
    telemetry: DescribedTelemetry
    virtual_services: tuple[DescribedRoutes, ...]
    destination_rules: tuple[DescribedRule, ...]
    gateway: bool = False
    servers: tuple[DescribedServer, ...] = ()
    sidecar: str = ""
    """The Sidecar document that says how far it sees, `namespace/name`."""
    warnings: tuple[str, ...] = field(default=())
