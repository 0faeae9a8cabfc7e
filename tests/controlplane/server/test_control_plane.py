"""A whole control plane on its ports: who gets what, who gets nothing, what operators change."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from meshext.hosts.address import Address
from meshext_controlplane.identity.bans import Bans
from meshext_controlplane.identity.limits import Limits
from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.identity.svid import to_pem
from meshext_controlplane.identity.tokens import Tokens
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.server.control_plane import ControlPlane
from meshext_controlplane.server.metrics import Counts
from meshext_controlplane.server.options import ControlPlaneOptions
from meshext_controlplane.server.ports import Ports
from meshext_controlplane.server.running import open_authority
from meshext_controlplane.snapshot import CLUSTER, ENDPOINT
from meshext_controlplane.state.served import ServedStore
from meshext_controlplane.state.store import StateStore
from meshext_controlplane.translate.filter_policy import FilterService
from meshext_proto.meshext import admin_pb2, workloads_pb2
from tests.controlplane.identity.serving import Member, join
from tests.controlplane.xds.client import Client, DeltaRequest, DeltaResponse, StateRequest, StateResponse
from tests.controlplane.xds.envoys import until

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: checkout, namespace: shop}
spec:
  selector: {app: checkout}
  ports: [{name: http, port: 80, targetPort: 8080}]
"""
PORT = workloads_pb2.Registration.Port(number=8080, protocol="http", application="unix:/run/app.sock")
DELTA = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
STATE = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
READY = workloads_pb2.Registration.READY


@dataclass
class Running:
    """A control plane, and clients of it."""

    store: StateStore
    control_plane: ControlPlane
    ports: Ports

    async def member(self, account: str, namespace: str = "shop") -> Member:
        """A workload that has joined."""
        identity = SpiffeId("cluster.local", namespace, account)
        limits = Limits({"app": account}, ((8080, 8080),))
        token = Tokens(self.control_plane.authority, self.store).create(identity, limits=limits)
        roots = to_pem(self.control_plane.authority.trust().roots)
        return await join(self.ports.join.port, roots, token.reveal())

    @asynccontextmanager
    async def registered(self, member: Member, name: str, **given: Any) -> AsyncIterator[Any]:
        """Its registration stream, with the first answer read."""
        async with member.channel(self.ports.ads.port) as channel:
            call: Any = channel.stream_stream(
                "/meshext.workloads.Workloads/Register",
                request_serializer=workloads_pb2.Registration.SerializeToString,
                response_deserializer=workloads_pb2.Registered.FromString,
            )()
            message = {"name": name, "address": "127.1.0.2", "ports": [PORT], "state": READY, **given}
            await call.write(workloads_pb2.Registration(**message))
            await asyncio.wait_for(call.read(), 10)
            yield call

    async def may_register(self, member: Member) -> bool:
        """Whether its registration is answered."""
        try:
            async with self.registered(member, "checkout-1"):
                return True
        except grpc.aio.AioRpcError:
            return False

    @asynccontextmanager
    async def stream(self, member: Member, node_id: str, *, delta: bool = True) -> AsyncIterator[Client]:
        """An ADS stream that has asked for clusters."""
        variant, request, response = (
            (DELTA, DeltaRequest, DeltaResponse) if delta else (STATE, StateRequest, StateResponse)
        )
        async with member.channel(self.ports.ads.port) as channel:
            call: Any = channel.stream_stream(variant, response_deserializer=response.FromString)()
            try:
                client = Client(call, request, node_id)
                await client.say(type_url=CLUSTER)
                yield client
            finally:
                call.cancel()

    async def ask(self, method: str, request: Any, reply: type[Any]) -> Any:
        """A call on the local socket."""
        async with grpc.aio.insecure_channel(f"unix:{self.ports.admin}") as channel:
            call: Any = channel.unary_unary(
                f"/meshext.admin.Admin/{method}",
                request_serializer=type(request).SerializeToString,
                response_deserializer=reply.FromString,
            )
            return await call(request)

    async def apply(self, text: str, *, dry_run: bool = False) -> admin_pb2.ApplyReply:
        texts = [admin_pb2.Text(source="edit.yaml", content=text)]
        request = admin_pb2.ApplyRequest(texts=texts, dry_run=dry_run)
        found: admin_pb2.ApplyReply = await self.ask("Apply", request, admin_pb2.ApplyReply)
        return found


def run(folder: Path, scenario: Callable[[Running], Any], **given: Any) -> None:
    """Run the scenario with a control plane whose state is in that folder; `given` are more options."""

    async def whole() -> None:
        nowhere = Address(host="127.0.0.1", port=0)
        options = ControlPlaneOptions(config=None, state=folder, listen=nowhere, join=nowhere, **given)
        counts = Counts()
        with StateStore(folder, observe=counts.stored) as store:
            control_plane = ControlPlane(options, store, open_authority(options, store), counts=counts)
            async with asyncio.timeout(60), control_plane.running() as ports:
                await scenario(Running(store, control_plane, ports))

    asyncio.run(whole())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_a_proxy_gets_what_its_identity_has_registered(folder: Path) -> None:
    async def scenario(running: Running) -> None:
        await running.apply(SERVICE)
        member = await running.member("checkout")
        async with (
            running.registered(member, "checkout-1"),
            running.stream(member, "checkout-1.shop") as client,
        ):
            names = {each.name for each in (await client.hear()).resources}
            assert {"inbound|8080||", "outbound|80||checkout.shop.svc.cluster.local"} <= names

    run(folder, scenario)


def test_what_a_proxy_has_is_kept_as_long_as_its_registration(folder: Path) -> None:
    def kept() -> list[str]:
        store = ServedStore(folder)
        try:
            return [each.node_id for each in store.load()[0]]
        finally:
            store.close()

    async def scenario(running: Running) -> None:
        await running.apply(SERVICE)
        member = await running.member("checkout")
        async with (
            running.registered(member, "checkout-1") as registration,
            running.stream(member, "checkout-1.shop", delta=False) as client,
        ):
            await client.ack(await client.hear())
            await until(lambda: kept() == ["checkout-1.shop"])
            leaving = workloads_pb2.Registration(name="checkout-1", address="127.1.0.2", ports=[PORT])
            leaving.state = workloads_pb2.Registration.DRAINING
            await registration.write(leaving)
            await asyncio.wait_for(registration.read(), 10)
            await registration.done_writing()
            await until(lambda: kept() == [])

    run(folder, scenario)


@pytest.mark.parametrize(
    ("node_id", "code"),
    [
        ("checkout-1.shop", grpc.StatusCode.PERMISSION_DENIED),
        ("checkout-1.bank", grpc.StatusCode.PERMISSION_DENIED),
        ("nobody.shop", grpc.StatusCode.UNAVAILABLE),
        ("", grpc.StatusCode.PERMISSION_DENIED),
    ],
)
def test_nobody_gets_what_is_not_his(folder: Path, node_id: str, code: grpc.StatusCode) -> None:
    async def scenario(running: Running) -> None:
        owner, other = await running.member("checkout"), await running.member("storefront")
        async with running.registered(owner, "checkout-1"), running.stream(other, node_id) as client:
            assert (await client.status())[0] is code

    run(folder, scenario)


def test_who_is_banned_loses_stream_and_place(folder: Path) -> None:
    async def scenario(running: Running) -> None:
        member = await running.member("checkout")
        async with (
            running.registered(member, "checkout-1"),
            running.stream(member, "checkout-1.shop") as client,
        ):
            await client.hear()
            with StateStore(folder) as elsewhere:  # as `meshext ban` does, from a process of its own
                Bans(elsewhere, running.control_plane.authority).add(
                    "spiffe://cluster.local/ns/shop/sa/checkout"
                )
            assert (await client.status())[0] is grpc.StatusCode.PERMISSION_DENIED
            assert running.control_plane.registry.workloads == ()

    run(folder, scenario)


def test_who_was_banned_registers_again_once_it_is_lifted(folder: Path) -> None:
    who = "spiffe://cluster.local/ns/shop/sa/checkout"

    async def scenario(running: Running) -> None:
        member = await running.member("checkout")
        with StateStore(folder) as elsewhere:
            bans = Bans(elsewhere, running.control_plane.authority)
            async with running.registered(member, "checkout-1") as call:
                bans.add(who)
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await asyncio.wait_for(call.read(), 20)
                assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
            bans.lift(who)
        async with asyncio.timeout(30):
            while not await running.may_register(member):
                pass
        assert running.control_plane.registry.workloads != ()

    run(folder, scenario)


def test_a_ban_that_comes_while_a_workload_is_let_in_holds(folder: Path) -> None:
    async def scenario(running: Running) -> None:
        control_plane, member = running.control_plane, await running.member("checkout")
        limits_of = control_plane._enrollment.limits_of

        def ban_meanwhile(peer: Peer) -> Limits:
            control_plane._standing._banned = frozenset({str(peer.identity)})
            return limits_of(peer)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(control_plane._enrollment, "limits_of", ban_meanwhile)
            assert not await running.may_register(member)
        assert control_plane.registry.workloads == ()

    run(folder, scenario)


def test_what_can_not_be_translated_ends_no_registration(folder: Path) -> None:
    async def scenario(running: Running) -> None:
        control_plane, member = running.control_plane, await running.member("checkout")
        failed = asyncio.Event()

        def fail(_: Workload) -> Sequence[FilterService]:
            failed.set()
            raise ZeroDivisionError

        async with running.registered(member, "checkout-1") as call:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(control_plane.serving, "filters_of", fail)
                again = workloads_pb2.Registration(name="checkout-1", address="127.1.0.2", ports=[PORT])
                await call.write(again)
                await asyncio.wait_for(failed.wait(), 10)
            control_plane._registering.refresh()
            assert (await asyncio.wait_for(call.read(), 10)).state == workloads_pb2.Registration.UNREADY

    run(folder, scenario)


def test_an_endpoint_comes(folder: Path) -> None:
    async def scenario(running: Running) -> None:
        await running.apply(SERVICE)
        caller, callee = await running.member("storefront"), await running.member("checkout")
        name = "outbound|80||checkout.shop.svc.cluster.local"
        async with (
            running.registered(caller, "storefront-1", address="127.1.0.3"),
            running.stream(caller, "storefront-1.shop") as client,
        ):
            await client.ack(await client.hear())
            await client.say(type_url=ENDPOINT, resource_names_subscribe=[name])
            await client.ack(await client.hear())
            async with running.registered(callee, "checkout-1"):
                response = await client.hear()
                while response.type_url != ENDPOINT:  # the first of its identity changes the cluster too
                    await client.ack(response)
                    response = await client.hear()
                assert b"127.1.0.2" in response.resources[0].resource.value

    run(folder, scenario)


def test_a_registration_beyond_the_token_is_refused(folder: Path) -> None:
    async def scenario(running: Running) -> None:
        member = await running.member("checkout")
        port = workloads_pb2.Registration.Port(number=22, application="127.0.0.1:22")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async with running.registered(member, "checkout-1", ports=[port]) as call:
                await call.read()
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        assert "the token does not give port 22" in str(caught.value.details())

    run(folder, scenario)


def test_a_dry_run_tells_what_would_change_for_whom(folder: Path) -> None:
    async def scenario(running: Running) -> None:
        member = await running.member("checkout")
        async with (
            running.registered(member, "checkout-1"),
            running.stream(member, "checkout-1.shop") as client,
        ):
            await client.hear()
            reply = await running.apply(SERVICE, dry_run=True)
            assert [change.what for change in reply.documents] == ["Service shop/checkout"]
            told = {change.what: list(change.proxies) for change in reply.resources}
            cluster = "Cluster outbound|80||checkout.shop.svc.cluster.local"
            assert told[cluster] == ["checkout-1.shop"]
            look = await running.ask("Look", admin_pb2.LookRequest(), admin_pb2.LookReply)
            assert (list(look.documents), len(look.workloads)) == ([], 1)

    run(folder, scenario)


def test_what_is_applied_and_registered_survives_a_restart(folder: Path) -> None:
    async def first(running: Running) -> None:
        assert not (await running.apply(SERVICE)).problems
        async with running.registered(await running.member("checkout"), "checkout-1"):
            pass

    async def second(running: Running) -> None:
        look = await running.ask("Look", admin_pb2.LookRequest(), admin_pb2.LookReply)
        assert [(each.name, each.applied) for each in look.documents] == [("checkout", True)]
        assert [each.spiffe_id for each in look.workloads] == ["spiffe://cluster.local/ns/shop/sa/checkout"]

    run(folder, first)
    run(folder, second)


def test_the_local_socket_is_for_the_owner_alone(folder: Path) -> None:
    async def scenario(running: Running) -> None:
        assert os.stat(running.ports.admin).st_mode & 0o077 == 0
        assert os.stat(folder).st_mode & 0o077 == 0

    run(folder, scenario)


@pytest.mark.parametrize("junk", [b"\0" * 4096, b"GET / HTTP/1.1\r\n\r\n" * 100, os.urandom(65536)])
def test_garbage_on_every_port_changes_nothing(folder: Path, junk: bytes) -> None:
    async def scenario(running: Running) -> None:
        for port in (running.ports.ads.port, running.ports.join.port):
            for _ in range(20):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(junk)
                writer.close()
        began = time.monotonic()
        await running.member("checkout")
        assert time.monotonic() - began < 30

    run(folder, scenario)
