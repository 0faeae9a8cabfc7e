"""A running mesh as its control plane tells of it: the same `Mesh` again, and who is connected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from meshext_controlplane.inspection.type_names import short_name
from meshext_controlplane.model.kinds import SHOWN
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.registrations import parse_registration
from meshext_controlplane.sources.configuration import merge
from meshext_controlplane.sources.places import Key, Origin
from meshext_controlplane.sources.reading import read_text
from meshext_proto.meshext import admin_pb2, workloads_pb2

SETTLED = ("SYNCED", "NOT SENT")
_RANKS = ("NACKED", "STALE", "SYNCED", "NOT SENT")


@dataclass(frozen=True, slots=True)
class TypeState:
    """One type at one proxy: SYNCED, STALE, NACKED or NOT SENT; of a refusal, what and why."""

    state: str
    error: str = ""
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyState:
    """A connected proxy; `problem` says why the newest is not served to it, `types` by short name.

    `missing` are the filters beside it that do not serve (`NAMESPACE/NAME`), and whether they are held: not
    asked yet. `serial` is that of the certificate that its stream began with, in hexadecimal; `kind` is
    sidecar, gateway, or grpc for a client that has a stream for each target: then types are those of all of
    them.
    """

    envoy: str
    kind: str = "sidecar"
    serial: str = ""
    problem: str = ""
    missing: Mapping[str, bool] = field(default_factory=dict)
    types: Mapping[str, TypeState] = field(default_factory=dict)

    @property
    def synced(self) -> bool:
        """Whether it has said yes to all that it shall have."""
        return not self.problem and all(each.state in SETTLED for each in self.types.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A mesh at one moment.

    `mesh` is without plans; `modes` has those of FilterPolicies whose class loads. `places` says where each
    document is written (`FILE:LINE`), `proxies` are by `WORKLOAD.NAMESPACE`, `problems` what is refused.
    """

    mesh: Mesh
    modes: Mapping[Key, str] = field(default_factory=lambda: MappingProxyType({}))
    places: Mapping[Key, str] = field(default_factory=lambda: MappingProxyType({}))
    proxies: Mapping[str, ProxyState] = field(default_factory=lambda: MappingProxyType({}))
    problems: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    ready: bool = True

    def proxy_of(self, workload: Workload) -> ProxyState | None:
        """The proxy of a workload, if it is connected."""
        return self.proxies.get(node_id(workload))

    def workload(self, name: str) -> list[Workload]:
        """The workloads that NAME, NAMESPACE/NAME or a proxy's NAME.NAMESPACE may mean."""
        namespace, _, own = name.rpartition("/")
        there = self.mesh.workloads
        found = [each for each in there if each.name == own and namespace in ("", each.namespace)]
        return found or [each for each in there if node_id(each) == name]


def node_id(workload: Workload) -> str:
    """The name of a workload's proxy."""
    return f"{workload.name}.{workload.namespace}"


def read_view(look: admin_pb2.LookReply, status: admin_pb2.ProxyStatusReply) -> View:
    """The view of two answers of `meshext.admin.Admin`."""
    keys = [(each.kind, each.namespace, each.name) for each in look.documents]
    return View(
        mesh=read_mesh(look),
        modes=MappingProxyType(
            {key: each.mode for key, each in zip(keys, look.documents, strict=True) if each.mode}
        ),
        places=MappingProxyType(
            {key: each.text.source for key, each in zip(keys, look.documents, strict=True)}
        ),
        proxies=MappingProxyType(read_proxies(status.proxies)),
        problems=tuple(look.problems),
        held=tuple(look.warnings),
        ready=look.ready,
    )


def read_mesh(look: admin_pb2.LookReply) -> Mesh:
    """The mesh that is served: documents in the order that decides, and workloads."""
    texts = (each.text for each in look.documents)
    origins = [Origin(each.source, each.content, (0, "", float(at))) for at, each in enumerate(texts)]
    configuration = merge([read_text(origin, kinds=SHOWN) for origin in origins])
    config = configuration.config
    if look.trust_domain and config.trust_domain != look.trust_domain:
        config = config.model_copy(update={"trust_domain": look.trust_domain})
    return Mesh(
        config=config, documents=configuration.documents, workloads=tuple(read_workloads(look.workloads))
    )


def read_workloads(told: Iterable[admin_pb2.LookReply.Workload]) -> Iterable[Workload]:
    """The registered workloads."""
    for each in told:
        registration = workloads_pb2.Registration.FromString(each.registration)
        yield parse_registration(registration, SpiffeId.parse(each.spiffe_id))


def read_proxies(told: Iterable[admin_pb2.ProxyStatusReply.Proxy]) -> dict[str, ProxyState]:
    """The proxies by node id; of several streams the worst of each type counts."""
    found: dict[str, ProxyState] = {}
    for each in told:
        state, before = read_proxy(each), found.get(each.node_id)
        found[each.node_id] = state if before is None else _join(before, state)
    return found


def _join(one: ProxyState, other: ProxyState) -> ProxyState:
    types = dict(one.types)
    for name, state in other.types.items():
        if name not in types or _RANKS.index(state.state) < _RANKS.index(types[name].state):
            types[name] = state
    return replace(other, types=MappingProxyType(types), problem=one.problem or other.problem)


def read_proxy(told: admin_pb2.ProxyStatusReply.Proxy) -> ProxyState:
    """One proxy's state."""
    types = {
        short_name(each.type_url): TypeState(each.state, each.error, tuple(each.refused))
        for each in told.types
    }
    return ProxyState(
        envoy=told.envoy,
        kind=told.kind,
        serial=told.serial,
        problem=told.problem,
        missing=MappingProxyType({f"{each.namespace}/{each.name}": each.held for each in told.missing}),
        types=MappingProxyType(types),
    )
