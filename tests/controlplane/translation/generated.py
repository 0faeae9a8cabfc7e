"""Meshes out of the blue: valid documents of all traffic kinds, about few names, so that they meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Locality, State, Workload, WorkloadPort
from tests.controlplane.translation.meshes import parse_documents

Data = dict[str, Any]
NAMESPACES = st.sampled_from(["a", "b", "istio-system"])
NAMES = st.sampled_from(["x", "y"])
HOSTS = st.sampled_from(["x", "y", "x.a.svc.cluster.local", "x.b.svc.cluster.local", "e.test", "*.w.test"])
PORTS = st.sampled_from([80, 81, 8080, 5432, 8443])
LABELS = st.dictionaries(st.sampled_from(["app", "v"]), st.sampled_from(["1", "2"]))
EXPORTS = st.sampled_from([[], ["*"], ["."], ["~"], ["a"], ["a", "."]])
WEIGHTS = st.integers(0, 3)


def document(kind: str, group: str, spec: st.SearchStrategy[Data]) -> st.SearchStrategy[Data]:
    meta = st.fixed_dictionaries({"name": NAMES, "namespace": NAMESPACES})
    return st.fixed_dictionaries(
        {"apiVersion": st.just(group), "kind": st.just(kind), "metadata": meta, "spec": spec}
    )


def some(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Data]:
    return st.fixed_dictionaries({}, optional=optional)


def with_names(ports: list[Data]) -> list[Data]:
    """One port of each number, each with a name of its own."""
    numbers = {port.get("port", port.get("number")): port for port in ports}
    return [{**port, "name": f"{port['name']}-{at}"} for at, port in enumerate(numbers.values())]


SERVICE_PORTS = st.lists(
    st.fixed_dictionaries(
        {"port": PORTS, "name": st.sampled_from(["http", "grpc", "tls", "grpc-web", "q"])},
        optional={"targetPort": st.sampled_from([80, 8080, "web"])},
    ),
    max_size=3,
).map(with_names)

SERVICES = document(
    "Service",
    "v1",
    st.one_of(
        st.fixed_dictionaries({"ports": SERVICE_PORTS, "selector": LABELS}),
        st.fixed_dictionaries(
            {"ports": SERVICE_PORTS, "type": st.just("ExternalName"), "externalName": st.just("out.test")}
        ),
    ),
)

ENTRY_PORTS = st.lists(
    st.fixed_dictionaries(
        {
            "number": PORTS,
            "name": st.just("p"),
            "protocol": st.sampled_from(["HTTP", "HTTPS", "GRPC", "HTTP2", "MONGO", "TCP", "TLS"]),
        }
    ),
    min_size=1,
    max_size=3,
).map(with_names)
ENDPOINTS = st.lists(
    st.fixed_dictionaries(
        {"address": st.sampled_from(["192.0.2.1", "fd00::1", "unix:///run/x"]), "labels": LABELS},
        optional={"locality": st.sampled_from(["r/z", "r", "q/z/s"]), "weight": st.integers(1, 3)},
    ),
    min_size=1,
    max_size=2,
)
NAMED = st.sampled_from(["e.test", "f.test", "x.a", "x.a.svc"])
ENTRY_HOSTS = st.lists(NAMED, min_size=1, max_size=2, unique=True)

NETWORKS = st.lists(
    st.sampled_from(["10.0.0.0/8", "10.1.2.3/16", "10.9.9.9", "fd00::/8"]),
    min_size=1,
    max_size=3,
    unique=True,
)


def entry(resolution: str, hosts: st.SearchStrategy[Any], **more: st.SearchStrategy[Any]) -> Any:
    fixed = {"resolution": st.just(resolution), "hosts": hosts, "ports": ENTRY_PORTS, "exportTo": EXPORTS}
    return st.fixed_dictionaries({**fixed, **more})


ENTRIES = document(
    "ServiceEntry",
    "networking.istio.io/v1",
    st.one_of(
        entry("STATIC", ENTRY_HOSTS, endpoints=ENDPOINTS),
        entry("STATIC", st.just(["*.w.test"]), workloadSelector=st.just({"labels": {"app": "1"}})),
        entry("DNS", ENTRY_HOSTS),
        entry("DNS_ROUND_ROBIN", ENTRY_HOSTS, subjectAltNames=st.just(["e.test"])),
        entry("NONE", ENTRY_HOSTS),
        entry("NONE", ENTRY_HOSTS, addresses=NETWORKS),
        entry("DYNAMIC_DNS", st.just(["*.w.test"])),
    ),
)

MEMBERS = document(
    "WorkloadEntry",
    "networking.istio.io/v1",
    st.fixed_dictionaries(
        {"address": st.sampled_from(["192.0.2.7", "name.test", "unix:///run/y"]), "labels": LABELS}
    ),
)

DESTINATIONS = st.fixed_dictionaries(
    {"host": HOSTS},
    optional={"subset": st.sampled_from(["s1", "s2"]), "port": PORTS.map(lambda port: {"number": port})},
)


def weighted(routes: list[Data]) -> list[Data]:
    routes[0]["weight"] = max(1, routes[0].get("weight", 1))
    return routes


ROUTES = st.lists(
    st.fixed_dictionaries({"destination": DESTINATIONS, "weight": WEIGHTS}), min_size=1, max_size=3
).map(weighted)
MATCHES = some(
    uri=st.sampled_from([{"prefix": "/"}, {"exact": "/e"}, {"regex": ".*"}]),
    headers=st.just({"x-h": {}}),
    port=PORTS,
    sourceLabels=LABELS,
    sourceNamespace=NAMESPACES,
    gateways=st.sampled_from([["mesh"], ["x"], ["a/x", "mesh"]]),
)
HTTP_RULES = st.one_of(
    st.fixed_dictionaries(
        {"route": ROUTES},
        optional={
            "match": st.lists(MATCHES, max_size=2),
            "mirrors": st.lists(st.fixed_dictionaries({"destination": DESTINATIONS}), max_size=2),
            "retries": some(attempts=st.integers(0, 3)),
            "timeout": st.sampled_from(["0s", "1.5s"]),
            "fault": st.just({"abort": {"httpStatus": 500}}),
        },
    ),
    st.fixed_dictionaries({"redirect": st.just({"uri": "/x"}), "match": st.lists(MATCHES, max_size=2)}),
    st.fixed_dictionaries({"directResponse": st.just({"status": 200})}),
)
L4_MATCHES = some(port=PORTS, sourceLabels=LABELS, sourceNamespace=NAMESPACES)


def with_names_of_tls(hosts: list[str]) -> list[str]:
    return [*dict.fromkeys(["e.test", "*.w.test", *hosts])]


TCP_RULES = st.fixed_dictionaries({"route": ROUTES}, optional={"match": st.lists(L4_MATCHES, max_size=2)})
TLS_RULES = st.fixed_dictionaries(
    {"route": ROUTES, "match": st.just([{"sniHosts": ["e.test"]}, {"sniHosts": ["f.w.test"]}])}
)
NAMED_GATEWAYS = st.lists(st.sampled_from(["mesh", "x", "a/x", "b/y"]), unique=True, max_size=3)
VIRTUAL_SERVICES = document(
    "VirtualService",
    "networking.istio.io/v1",
    st.fixed_dictionaries(
        {
            "hosts": st.lists(HOSTS, max_size=2).map(
                lambda more: [*dict.fromkeys(["e.test", "*.w.test", *more])]
            ),
            "http": st.lists(HTTP_RULES, min_size=1, max_size=3),
            "tcp": st.lists(TCP_RULES, max_size=2),
            "tls": st.lists(TLS_RULES, max_size=1),
            "exportTo": EXPORTS,
            "gateways": NAMED_GATEWAYS,
        }
    ),
)

BALANCERS = st.sampled_from(
    [
        {"simple": "ROUND_ROBIN"},
        {"consistentHash": {"httpHeaderName": "x"}},
        {"localityLbSetting": {"distribute": [{"from": "*", "to": {"r/*": 60, "q/*": 40}}]}},
        {"localityLbSetting": {"failover": [{"from": "r", "to": "q"}]}},
        {"localityLbSetting": {"failoverPriority": ["v", "topology.kubernetes.io/zone"]}},
    ]
)
POOLS = [{"tcp": {"maxConnections": 1}}, {"http": {"useClientProtocol": True}}]
BLOCKS: dict[str, st.SearchStrategy[Any]] = {
    "loadBalancer": BALANCERS,
    "connectionPool": st.sampled_from(
        [{"tcp": {"maxConnections": 1}}, {"http": {"useClientProtocol": True}}]
    ),
    "outlierDetection": st.just({}),
    "tls": st.sampled_from([{"mode": "DISABLE"}, {"mode": "ISTIO_MUTUAL"}, {"mode": "SIMPLE"}]),
}
POLICIES = some(
    **BLOCKS,
    portLevelSettings=some(**BLOCKS).map(lambda blocks: [{"port": {"number": 80}, **blocks}]),
)
SUBSETS = st.lists(st.sampled_from(["s1", "s2"]), unique=True, max_size=2).flatmap(
    lambda names: st.tuples(*(some(labels=LABELS, trafficPolicy=POLICIES) for _ in names)).map(
        lambda each: [{"name": name, **subset} for name, subset in zip(names, each, strict=True)]
    )
)
RULES = document(
    "DestinationRule",
    "networking.istio.io/v1",
    st.fixed_dictionaries(
        {"host": HOSTS, "subsets": SUBSETS, "exportTo": EXPORTS},
        optional={
            "trafficPolicy": POLICIES,
            "workloadSelector": st.sampled_from([{"matchLabels": {"app": "1"}}, {"matchLabels": {}}]),
        },
    ),
)

SERVER_HOSTS = st.lists(
    st.sampled_from(["*", "e.test", "*.w.test", "f.w.test", "a/e.test", "./*"]),
    min_size=1,
    max_size=2,
    unique=True,
)
SECURE = [
    {"mode": "ISTIO_MUTUAL"},
    {"mode": "PASSTHROUGH"},
    {"mode": "SIMPLE", "credentialName": "nobody"},
]
SERVERS = st.one_of(
    st.tuples(st.sampled_from(["HTTP", "HTTP2", "GRPC", "TCP"]), st.just(None)),
    st.tuples(st.just("HTTP"), st.just({"httpsRedirect": True})),
    st.tuples(st.sampled_from(["HTTPS", "TLS"]), st.sampled_from(SECURE)),
).flatmap(
    lambda spoken: st.fixed_dictionaries(
        {
            "port": PORTS.map(lambda port: {"number": port, "protocol": spoken[0]}),
            "hosts": SERVER_HOSTS,
            "tls": st.just(spoken[1]),
        },
        optional={"bind": st.just("127.0.0.9")},
    )
)


def with_port_names(servers: list[Data]) -> list[Data]:
    return [
        {**server, "port": {**server["port"], "name": f"p{number}"}} for number, server in enumerate(servers)
    ]


GATEWAYS = document(
    "Gateway",
    "networking.istio.io/v1",
    st.fixed_dictionaries(
        {"selector": LABELS, "servers": st.lists(SERVERS, min_size=1, max_size=5).map(with_port_names)}
    ),
)
SEEN_HOSTS = st.lists(
    st.sampled_from(["./*", "*/*", "a/*", "*/e.test", "b/*.w.test"]), min_size=1, max_size=2
)
SIDECARS = document(
    "Sidecar",
    "networking.istio.io/v1",
    st.fixed_dictionaries(
        {"egress": SEEN_HOSTS.map(lambda hosts: [{"hosts": hosts}])},
        optional={
            "workloadSelector": st.just({"labels": {"app": "1"}}),
            "outboundTrafficPolicy": st.just({"mode": "REGISTRY_ONLY"}),
        },
    ),
)

DOCUMENTS = st.one_of(SERVICES, ENTRIES, MEMBERS, VIRTUAL_SERVICES, RULES, GATEWAYS, SIDECARS)

WORKLOAD_PORTS = st.lists(
    st.builds(
        WorkloadPort,
        number=PORTS,
        application=st.sampled_from(["unix:/run/app", "127.0.0.1:80", "[::1]:80", "localhost:80"]),
        name=st.sampled_from(["", "web"]),
        protocol=st.sampled_from(["http", "tcp", "grpc", "tls"]),
    ),
    max_size=3,
).map(tuple)


@st.composite
def workloads(draw: st.DrawFn) -> tuple[Workload, ...]:
    """Some, each with a name of its own."""
    return tuple(
        Workload(
            name=f"w{number}",
            identity=SpiffeId("cluster.local", draw(NAMESPACES), draw(NAMES)),
            address=f"127.1.0.{number + 1}",
            labels=draw(LABELS),
            ports=draw(WORKLOAD_PORTS),
            state=draw(st.sampled_from(State)),
            locality=draw(st.sampled_from([Locality(), Locality("r", "z"), Locality("q", "z", "s")])),
            gateway=draw(st.booleans()),
        )
        for number in range(draw(st.integers(1, 4)))
    )


@st.composite
def meshes(draw: st.DrawFn) -> Mesh:
    """A mesh of up to eight documents and four workloads."""
    found = draw(st.lists(DOCUMENTS, max_size=8))
    documents = {(each["kind"], *sorted(each["metadata"].items())): each for each in found}
    return Mesh(documents=parse_documents(documents.values()), workloads=draw(workloads()))
