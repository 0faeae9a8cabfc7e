"""Certificates that come and go: renewal under load, a control plane that is away, bans, roots."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from datetime import timedelta
from pathlib import Path

import h11
import pytest

from meshext_controlplane.agent.options import SidecarOptions
from meshext_controlplane.agent.svid import Svid, key_from_pem
from meshext_proto.meshext import svids_pb2
from tests.controlplane.agent.authority import Authority
from tests.controlplane.agent.control_plane import ControlPlane
from tests.controlplane.agent.mesh import Running, options, ready, resources_for, running, until

pytestmark = pytest.mark.envoy


class Load:
    """Calls through a sidecar, one after another and each on a connection of its own."""

    def __init__(self, sidecar: Running, *, among: int = 4) -> None:
        self.statuses: list[int] = []
        self._sidecar = sidecar
        self._done = False
        self._callers = [asyncio.create_task(self._call()) for _ in range(among)]

    async def _call(self) -> None:
        while not self._done:
            try:
                self.statuses.append((await self._sidecar.call("/")).status)
            except (OSError, h11.RemoteProtocolError):
                self.statuses.append(0)

    async def end(self) -> list[int]:
        """What was not answered well."""
        self._done = True
        await asyncio.gather(*self._callers)
        return [status for status in self.statuses if status != 200]


def test_renewal_under_load_fails_no_call(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane(life=timedelta(seconds=4)) as control_plane:
            first, second = (options(control_plane, tmp_path, name) for name in "ab")
            control_plane.resources = resources_for(first, second)
            async with running(first) as a, running(second) as b:
                await ready(control_plane, a, b)
                load = Load(a)
                await until(lambda: min(map(control_plane.renewals, "ab")) >= 4, a, b)
                assert await load.end() == []

    asyncio.run(scenario())


def test_the_old_certificate_serves_while_the_control_plane_is_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        control_plane = ControlPlane(life=timedelta(seconds=8))
        files = tmp_path / "certs"
        chosen = options(control_plane, tmp_path, certificates=files)
        control_plane.resources = resources_for(chosen)
        async with control_plane, running(chosen) as sidecar:
            await ready(control_plane, sidecar)
            await control_plane.stop()
            load = Load(sidecar, among=1)
            await until(lambda: "can not renew the certificate" in caplog.text, sidecar)
            await control_plane.start()
            await until(lambda: control_plane.renewals("a"), sidecar)
            assert await load.end() == []
            await until(lambda: (files / "cert-chain.pem").read_bytes() == stored(chosen).chain_pem, sidecar)
            assert (files / "key.pem").read_bytes() == stored(chosen).key_pem

    asyncio.run(scenario())


def test_a_banned_peer_can_not_connect_any_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            first, second = (options(control_plane, tmp_path, name) for name in "ab")
            control_plane.resources = resources_for(first, second)
            async with running(first) as a, running(second) as b:
                await ready(control_plane, a, b)
                assert (await a.call("/")).status == 200
                leaf = control_plane.issued["a"][-1]
                control_plane.revocations = [control_plane.authority.revoke(leaf)]
                control_plane.push()
                await until(lambda: a.answers("/", status=503), a, b)

    asyncio.run(scenario())


def test_a_second_root_is_believed_before_it_is_used(tmp_path: Path) -> None:
    async def scenario() -> None:
        new = Authority("second root")
        control_plane = ControlPlane(life=timedelta(seconds=6))
        control_plane.trusted.append(new)
        first, second = (options(control_plane, tmp_path, name) for name in "ab")
        control_plane.resources = resources_for(first, second)
        async with control_plane, running(first) as a, running(second) as b:
            await ready(control_plane, a, b)
            load = Load(a)
            control_plane.roots = [control_plane.authority.der, new.der]
            control_plane.push()
            await until(lambda: all(len(stored(each).roots) == 2 for each in (first, second)), a, b)
            control_plane.issuer = new
            count = [control_plane.renewals(name) for name in "ab"]
            await until(
                lambda: all(control_plane.renewals(n) > c for n, c in zip("ab", count, strict=True)), a, b
            )
            assert await load.end() == []

    asyncio.run(scenario())


@pytest.mark.parametrize("again", [False, True], ids=["running", "started again"])
def test_other_roots_are_confirmed_by_a_renewal(tmp_path: Path, again: bool) -> None:
    async def scenario() -> None:
        control_plane = ControlPlane(life=timedelta(minutes=1))
        chosen = options(control_plane, tmp_path)
        control_plane.resources = resources_for(chosen)
        async with control_plane:
            async with running(chosen) as sidecar:
                await ready(control_plane, sidecar)
                control_plane.roots = [control_plane.authority.der, Authority("second root").der]
                control_plane.push()
                await until(lambda: len(stored(chosen).roots) == 2, sidecar)
                if again:
                    control_plane.renewed.clear()
                    await sidecar.end()
                else:
                    await until(lambda: control_plane.renewals("a"), sidecar, limit=10)
            if again:
                async with running(chosen) as second:
                    await until(lambda: control_plane.renewals("a"), second, limit=10)

    asyncio.run(scenario())


def stored(options: SidecarOptions) -> Svid:
    """What a running sidecar has on disk."""
    document = json.loads((options.data / "svid.json").read_bytes())
    message = svids_pb2.Svid.FromString(b64decode(document["svid"]))
    return Svid.from_message(message, key_from_pem(document["key"].encode()))
