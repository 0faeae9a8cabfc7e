"""The mesh of the benchmark: as many services as workloads, each proxy with all services in its view."""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.mesh_config import OutboundTrafficPolicy
from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.model.service import Service
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Workload, WorkloadPort
from meshext_controlplane.translate.translator import Translator

TRUST_DOMAIN = "cluster.local"
NAMESPACE = "shop"


def identity(number: int) -> SpiffeId:
    return SpiffeId(TRUST_DOMAIN, NAMESPACE, f"service-{number}")


def workload(number: int, *, of: int) -> Workload:
    """One instance of service `of`."""
    return Workload(
        name=f"service-{of}-{number}",
        identity=identity(of),
        address=f"127.{1 + number // 65536}.{number // 256 % 256}.{number % 256}",
        labels={"app": f"service-{of}"},
        ports=(WorkloadPort(number=8080, application=f"unix:/run/app-{number}.sock", protocol="http"),),
    )


def service(number: int) -> Service:
    return Service.model_validate(
        {
            "metadata": {"name": f"service-{number}", "namespace": NAMESPACE},
            "spec": {
                "selector": {"app": f"service-{number}"},
                "ports": ({"name": "http", "port": 80, "targetPort": 8080, "appProtocol": "http"},),
            },
        }
    )


@dataclass
class GrowingMesh:
    """A mesh that is edited; `translator` is of its newest state."""

    services: int
    proxies: int

    def __post_init__(self) -> None:
        self.workloads = [workload(number, of=number % self.services) for number in range(self.proxies)]
        documents = tuple(service(number) for number in range(self.services))
        self.mesh = Mesh(documents={Service.KIND: documents}, workloads=tuple(self.workloads))
        self.translator = Translator(self.mesh)
        self.extra = 0

    def proxy(self, number: int) -> Proxy:
        of = self.workloads[number]
        return Proxy(node_id=f"{of.name}.{NAMESPACE}", identity=of.identity, workload=of)

    def add_endpoint(self) -> None:
        """One service has one instance more."""
        self.extra += 1
        more = workload(self.proxies + self.extra, of=self.extra % self.services)
        self._become(replace(self.mesh, workloads=(*self.mesh.workloads, more)))

    def change_routes(self) -> None:
        """Every proxy's outbound routes change: what becomes of hosts that are not in the mesh."""
        before = self.mesh.config.outbound_traffic_policy.mode
        policy = OutboundTrafficPolicy(mode="ALLOW_ANY" if before == "REGISTRY_ONLY" else "REGISTRY_ONLY")
        config = self.mesh.config.model_copy(update={"outbound_traffic_policy": policy})
        self._become(replace(self.mesh, config=config))

    def _become(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.translator = Translator(mesh, previous=self.translator)
