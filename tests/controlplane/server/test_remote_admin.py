"""Administration over mTLS: by whom, and what each role may do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest

from meshext.errors import OptionError
from meshext.hosts.address import Address
from meshext_controlplane.identity.bans import Bans
from meshext_controlplane.identity.svid import to_pem
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.server.roles import ROLES, parse_roles
from meshext_controlplane.state.store import StateStore
from meshext_proto.meshext import admin_pb2
from tests.controlplane.identity.serving import OPTIONS, Member
from tests.controlplane.server.test_control_plane import SERVICE, Running, run

GIVEN: dict[str, Any] = {
    "admin": Address(host="127.0.0.1", port=0),
    "roles": parse_roles(["ops/ann=operator", "ops/bob=viewer"]),
}
REQUESTS: dict[str, tuple[Any, type[Any]]] = {
    "Look": (admin_pb2.LookRequest(), admin_pb2.LookReply),
    "ProxyStatus": (admin_pb2.ProxyStatusRequest(), admin_pb2.ProxyStatusReply),
    "Resources": (admin_pb2.ResourcesRequest(node_id="a.b"), admin_pb2.ResourcesReply),
    "Apply": (
        admin_pb2.ApplyRequest(texts=[admin_pb2.Text(source="a", content=SERVICE)]),
        admin_pb2.ApplyReply,
    ),
    "Delete": (
        admin_pb2.DeleteRequest(kind="Service", namespace="shop", name="checkout"),
        admin_pb2.ApplyReply,
    ),
}


async def ask(running: Running, channel: grpc.aio.Channel, method: str) -> tuple[grpc.StatusCode, str]:
    request, reply = REQUESTS[method]
    call: Any = channel.unary_unary(
        f"/meshext.admin.Admin/{method}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=reply.FromString,
    )
    try:
        await call(request, timeout=20)
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


async def ask_as(running: Running, member: Member, method: str) -> tuple[grpc.StatusCode, str]:
    assert running.ports.remote_admin is not None
    async with member.channel(running.ports.remote_admin.port) as channel:
        return await ask(running, channel, method)


def test_each_role_may_do_what_it_is_for(tmp_path: Path) -> None:
    denied = grpc.StatusCode.PERMISSION_DENIED

    async def scenario(running: Running) -> None:
        ann, bob, eve = [await running.member(name, "ops") for name in ("ann", "bob", "eve")]
        for method in REQUESTS:
            found = [(await ask_as(running, each, method))[0] for each in (ann, bob, eve)]
            named = grpc.StatusCode.NOT_FOUND if method == "Resources" else grpc.StatusCode.OK
            assert found == [named, named if method in ROLES["viewer"] else denied, denied]
        told = (denied, "ops/bob is viewer and may not Apply; that takes operator")
        assert await ask_as(running, bob, "Apply") == told
        assert "ops/eve has no role here" in (await ask_as(running, eve, "Look"))[1]
        assert (await ask_as(running, await running.member("ann", "shop"), "Look"))[0] is denied

    run(tmp_path, scenario, **GIVEN)


def test_who_is_banned_or_shows_no_certificate_gets_nothing(tmp_path: Path) -> None:
    async def scenario(running: Running) -> None:
        ann = await running.member("ann", "ops")
        with StateStore(tmp_path) as elsewhere:  # as `meshext ban` does, from a process of its own
            bans = Bans(elsewhere, running.control_plane.authority)
            bans.add(str(SpiffeId("cluster.local", "ops", "ann")))
        code, _ = await ask_as(running, ann, "Look")
        while code is grpc.StatusCode.OK:  # until the ban has come round
            code, _ = await ask_as(running, ann, "Look")
        assert code is grpc.StatusCode.PERMISSION_DENIED
        assert running.ports.remote_admin is not None
        credentials = grpc.ssl_channel_credentials(to_pem(tuple(ann.svid.roots)))
        target = f"127.0.0.1:{running.ports.remote_admin.port}"
        async with grpc.aio.secure_channel(target, credentials, OPTIONS) as channel:
            assert (await ask(running, channel, "Look"))[0] is grpc.StatusCode.UNAVAILABLE

    run(tmp_path, scenario, **GIVEN)


def test_without_an_address_nobody_is_served(tmp_path: Path) -> None:
    async def scenario(running: Running) -> None:
        assert running.ports.remote_admin is None

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    "given", [["ann=operator"], ["ops/ann"], ["ops/ann=root"], ["/ann=viewer"], ["a/b/c=viewer"]]
)
def test_roles_that_are_none(given: list[str]) -> None:
    with pytest.raises(OptionError, match="write NAMESPACE/ACCOUNT=ROLE, with viewer or operator"):
        parse_roles(given)


def test_an_account_has_one_role() -> None:
    with pytest.raises(OptionError, match="two roles"):
        parse_roles(["ops/ann=operator", "ops/ann=viewer"])
