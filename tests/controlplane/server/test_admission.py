"""A proxy gets the configuration of the identity that it has proved, and of no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.model.proxy import ProxyKind
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.server.admission import NotAdmitted, admit_node
from meshext_proto.envoy.config.core.v3 import base_pb2


def peer(namespace: str, account: str) -> Peer:
    identity = SpiffeId("cluster.local", namespace, account)
    return Peer(identity, "2a", datetime(2030, 1, 1, tzinfo=UTC))


CHECKOUT = peer("shop", "checkout")
STOREFRONT = peer("shop", "storefront")
STRANGER = peer("bank", "checkout")
WORKLOAD = Workload(name="checkout-1", identity=CHECKOUT.identity, address="127.1.0.2")


def find(namespace: str, name: str) -> Workload | None:
    return WORKLOAD if (namespace, name) == ("shop", "checkout-1") else None


def node(node_id: str = "checkout-1.shop", **given: Any) -> base_pb2.Node:
    return base_pb2.Node(id=node_id, **given)


def test_a_proxy_is_what_its_workload_has_registered() -> None:
    asked = node(user_agent_name="envoy")
    asked.user_agent_build_version.version.minor_number = 40
    asked.user_agent_build_version.version.major_number = 1
    asked.metadata.update({"meshext": {"outbound": 15009}})
    proxy = admit_node(asked, CHECKOUT, find)
    assert (proxy.workload, proxy.outbound, proxy.envoy) == (WORKLOAD, 15009, (1, 40, 0))
    assert proxy.serial == "2a"
    assert proxy.kind is ProxyKind.SIDECAR


def test_a_grpc_client_is_told_apart() -> None:
    assert admit_node(node(user_agent_name="gRPC Go"), CHECKOUT, find).kind is ProxyKind.GRPC


def test_a_gateway_is_one_that_has_registered_as_one() -> None:
    gateway = replace(WORKLOAD, gateway=True)
    assert admit_node(node(), CHECKOUT, lambda _, __: gateway).kind is ProxyKind.GATEWAY


@pytest.mark.parametrize("other", [STOREFRONT, STRANGER])
def test_nobody_gets_the_configuration_of_another(other: Peer) -> None:
    with pytest.raises(NotAdmitted, match=f"{other.identity} may not have the configuration of checkout-1"):
        admit_node(node(), other, find)


def test_one_that_has_not_registered_yet_may_ask_again() -> None:
    with pytest.raises(NotAdmitted, match="is not registered yet") as caught:
        admit_node(node("checkout-2.shop"), CHECKOUT, find)
    assert caught.value.later


@pytest.mark.parametrize("node_id", ["", "checkout-1", ".shop", "checkout-1.", "a/b.shop", "x" * 999])
def test_a_node_id_names_a_workload(node_id: str) -> None:
    with pytest.raises(NotAdmitted, match=r"is not WORKLOAD\.NAMESPACE"):
        admit_node(node(node_id), CHECKOUT, find)


@pytest.mark.parametrize("port", [0, -1, 1.5, 70000])
def test_the_outbound_port_is_a_port(port: float) -> None:
    asked = node()
    asked.metadata.update({"meshext": {"outbound": port}})
    with pytest.raises(NotAdmitted, match="write a port, 1 to 65535"):
        admit_node(asked, CHECKOUT, find)
