"""Transparent sidecars of every mesh: what they get holds together, and the real Envoy takes it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.certificates import Authority
from meshext.envoy.emit import emit_yaml
from meshext.envoy.process import validate
from meshext_controlplane.model.proxy import Proxy, Transparent
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.snapshot import CLUSTER, LISTENER, Resource, build_snapshot
from meshext_controlplane.translate.decoding import snapshot_to_data
from meshext_controlplane.translate.translator import Translator
from meshext_controlplane.translate.upstream_tls import SYSTEM_ROOTS
from tests.controlplane.translation.bootstraps import to_bootstrap
from tests.controlplane.translation.consistency import check
from tests.controlplane.translation.meshes import parse_mesh, proxy_of, read_mesh
from tests.controlplane.translation.test_golden import MESHES, fold


def transparent(workload: Workload) -> Proxy:
    return proxy_of(workload, transparent=Transparent())


@pytest.mark.parametrize("name", MESHES)
def test_it_holds_together(name: str) -> None:
    mesh = read_mesh(name)
    translator = Translator(mesh)
    for workload in mesh.workloads:
        check(translator.snapshot(transparent(workload)))


def test_what_proxies_get(golden: Callable[[str, str], None]) -> None:
    mesh = read_mesh("transparent")
    translator = Translator(mesh)
    shown: dict[str, object] = {}
    seen: set[Resource] = set()
    for proxy in map(transparent, mesh.workloads):
        types = translator.snapshot(proxy).types
        resources = [each for named in types.values() for each in named.values()]
        new = build_snapshot(each for each in resources if each not in seen)
        shown[proxy.node_id] = snapshot_to_data(new)
        seen.update(resources)
    golden(emit_yaml(fold(shown, "", {})), "transparent.yaml")


def test_explicit_proxies_stay_as_they_are() -> None:
    mesh = read_mesh("transparent")
    workload = mesh.workloads[0]
    alone = Translator(mesh).snapshot(proxy_of(workload))
    beside = Translator(mesh)
    beside.snapshot(transparent(workload))
    assert beside.snapshot(proxy_of(workload)) == alone
    assert (
        alone.named(CLUSTER)["PassthroughCluster"]
        != (beside.snapshot(transparent(workload)).named(CLUSTER)["PassthroughCluster"])
    )


def test_without_dns_nobody_answers_names() -> None:
    mesh = read_mesh("transparent")
    proxy = proxy_of(mesh.workloads[0], transparent=Transparent(dns=None))
    assert "dns" not in Translator(mesh).snapshot(proxy).named(LISTENER)


@pytest.mark.envoy
@pytest.mark.parametrize("name", MESHES)
def test_envoy_takes_it(name: str, tmp_path: Path) -> None:
    mesh = read_mesh(name)
    translator = Translator(mesh)
    authority = Authority(tmp_path, "ca")
    authority.issue("leaf", [])

    async def judge() -> None:
        for workload in mesh.workloads:
            bootstrap = json.dumps(to_bootstrap(translator.snapshot(transparent(workload))))
            bootstrap = bootstrap.replace(SYSTEM_ROOTS, str(authority.file))
            await validate(bootstrap.replace("CERTS", str(tmp_path)))

    asyncio.run(judge())


WEB = """
kind: Workload
name: web-1
namespace: shop
account: web
address: 10.0.0.1
labels: {app: web}
ports: [{number: 8080, protocol: http, application: "127.0.0.1:8080"}]
"""
FILTER = """
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {name: guards, namespace: shop}
spec: {direction: DIRECTION, filter: authorization-policy, PHASE}
---
"""


@pytest.mark.parametrize(
    ("direction", "phase", "closed"),
    [
        ("inbound", "phase: AUTHZ", True),
        ("inbound", "priority: 1", True),
        ("inbound", "phase: STATS", False),
        ("outbound", "phase: AUTHZ", False),
    ],
)
def test_ports_of_which_nobody_has_told_are_closed_where_a_filter_guards(
    direction: str, phase: str, closed: bool
) -> None:
    """The filter could not be asked there."""
    chains = chains_of(FILTER.replace("DIRECTION", direction).replace("PHASE", phase), "virtual-inbound")
    rest = [each["filters"] for each in chains if each["name"].startswith("rest-")]
    assert rest
    for filters in rest:
        names = [each["name"].rpartition(".")[2] for each in filters]
        assert names == (["rbac", "tcp_proxy"] if closed else ["tcp_proxy"])
        assert not closed or filters[0]["typed_config"]["rules"] == {}  # ALLOW, and nobody is


SHARED_PORT = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: http, namespace: shop}
spec:
  hosts: [http.test]
  addresses: [192.0.2.1, 192.0.2.0/24, "2001:db8::1"]
  ports: [{number: 443, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 192.0.2.9}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: tls, namespace: shop}
spec:
  hosts: [tls.test]
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: STATIC
  endpoints: [{address: 192.0.2.10}]
---
"""


def test_what_goes_to_an_address_of_http_is_http_whatever_it_looks_like() -> None:
    """But for TLS, which goes by its name there as everywhere."""
    chains = {each["name"]: each for each in chains_of(SHARED_PORT, "outbound-any-443")}
    told = chains["told"]["filter_chain_match"]
    assert [each["address_prefix"] for each in told["prefix_ranges"]] == ["192.0.2.1", "192.0.2.0"]
    assert told["transport_protocol"] == "raw_buffer"
    assert chains["told"]["filters"] == chains["http"]["filters"]
    named = chains["told tls.test"]["filter_chain_match"]
    assert named["server_names"] == ["tls.test"]
    assert named["prefix_ranges"] == told["prefix_ranges"]
    assert "prefix_ranges" not in chains["tls.test"]["filter_chain_match"]


def chains_of(documents: str, listener: str) -> list[dict[str, Any]]:
    """The filter chains of a listener of `web-1`, beside these documents."""
    mesh = parse_mesh(documents + WEB)
    snapshot = Translator(mesh).snapshot(transparent(mesh.workloads[0]))
    check(snapshot)
    (found,) = [each for each in snapshot_to_data(snapshot)["Listener"] if each["name"] == listener]
    chains: list[dict[str, Any]] = found["filter_chains"]
    return chains
