"""What a mesh still waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshext_controlplane.model.workload import State
from meshext_controlplane.snapshot import CLUSTER, LISTENER
from meshext_controlplane.up.instances import Instance
from meshext_controlplane.up.readiness import find_missing
from meshext_proto.meshext import admin_pb2, workloads_pb2

WEB = Instance(
    name="web",
    namespace="shop",
    service_account="web",
    address="127.1.0.2",
    command=("web",),
    folder=Path("/"),
    data=Path("/data"),
)
Type = admin_pb2.ProxyStatusReply.TypeStatus


def registered(state: State) -> admin_pb2.LookReply:
    registration = workloads_pb2.Registration(name="web", state=state.name)
    served = admin_pb2.LookReply.Workload(
        spiffe_id="spiffe://cluster.local/ns/shop/sa/web", registration=registration.SerializeToString()
    )
    return admin_pb2.LookReply(workloads=[served])


def connected(**states: str) -> admin_pb2.ProxyStatusReply:
    urls = {"listener": LISTENER, "cluster": CLUSTER}
    types = [
        Type(type_url=urls[name], state=state, refused=["bad"] if state == "NACKED" else [], error="why")
        for name, state in states.items()
    ]
    return admin_pb2.ProxyStatusReply(
        proxies=[admin_pb2.ProxyStatusReply.Proxy(node_id="web.shop", types=types)]
    )


@pytest.mark.parametrize(
    ("look", "status", "what"),
    [
        (admin_pb2.LookReply(), connected(), "has not registered"),
        (
            registered(State.READY),
            admin_pb2.ProxyStatusReply(),
            "its Envoy has not asked for its configuration",
        ),
        (registered(State.READY), connected(), "its Envoy has not taken all of its configuration"),
        (
            registered(State.READY),
            connected(cluster="STALE", listener="SYNCED"),
            "its Envoy has not taken all of its configuration",
        ),
        (
            registered(State.READY),
            connected(cluster="SYNCED", listener="NACKED"),
            "its Envoy refuses bad: why",
        ),
        (
            registered(State.UNREADY),
            connected(cluster="SYNCED", listener="SYNCED"),
            "its application is not ready",
        ),
    ],
)
def test_what_an_instance_waits_for(
    look: admin_pb2.LookReply, status: admin_pb2.ProxyStatusReply, what: str
) -> None:
    assert find_missing([WEB], look, status) == {"web.shop": what}


def test_a_mesh_in_which_nothing_is_missing_is_ready() -> None:
    status = connected(cluster="SYNCED", listener="SYNCED")
    assert find_missing([WEB], registered(State.READY), status) == {}
