"""The ADS over mTLS: who has no certificate gets nothing, and a stream ends with its certificate."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import grpc

from meshext_controlplane.snapshot import CLUSTER
from tests.controlplane.xds.client import connected
from tests.controlplane.xds.mtls import MeshAuthority
from tests.controlplane.xds.serving import serving
from tests.controlplane.xds.snapshots import cluster, endpoints

HELD = (cluster("a"), endpoints("a", 1))


def test_a_stream_ends_when_its_certificate_expires(tmp_path: Path) -> None:
    async def run() -> None:
        authority = MeshAuthority(tmp_path)
        shown = authority.client(authority.proxy(until=timedelta(seconds=4)))
        async with (
            serving(HELD, credentials=authority.server()) as mesh,
            connected(mesh.port, delta=True, credentials=shown) as client,
        ):
            await client.say(type_url=CLUSTER)
            assert (await client.hear()).resources
            code, text = await client.status()
            assert (code, "expired" in text) == (grpc.StatusCode.UNAUTHENTICATED, True)

    asyncio.run(run())


def test_without_a_certificate_nobody_is_heard(tmp_path: Path) -> None:
    async def run() -> None:
        authority = MeshAuthority(tmp_path)
        nothing = grpc.ssl_channel_credentials(authority.root.read_bytes())
        async with (
            serving(HELD, credentials=authority.server()) as mesh,
            connected(mesh.port, delta=True, credentials=nothing) as client,
        ):
            code, _ = await client.status()
            assert code is grpc.StatusCode.UNAVAILABLE
            assert mesh.hub.status() == ()

    asyncio.run(run())
