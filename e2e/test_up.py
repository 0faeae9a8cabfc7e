"""`meshext up`: a mesh out of a folder, with real Envoys, from start to end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from meshext_controlplane.demo.visits import Answer, Customer, Visit, call_directly

WORKLOADS = """\
apiVersion: meshext.dev/v1
kind: Workload
metadata: {name: caller, namespace: shop}
spec: {serviceAccount: caller, command: [sleep, "1000"]}
---
apiVersion: meshext.dev/v1
kind: Workload
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  serviceAccount: web
  command: [sh, -c, 'exec python -m meshext.envoy.echo --name "$MESHEXT_NAME" --listen "$MESHEXT_LISTEN"']
  ports: [{port: 8080, name: http, protocol: http}]
"""
GATEWAY = """\
---
apiVersion: meshext.dev/v1
kind: Workload
metadata: {name: front, namespace: edge, labels: {gate: front}}
spec: {gateway: true, ports: [{port: 8080}]}
"""
ENTRANCE = """\
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  selector: {gate: front}
  servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: [shop.test]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec: {hosts: [shop.test], gateways: [edge/front], http: [{route: [{destination: {host: web}}]}]}
"""
MESH = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: shop}
spec: {mtls: {mode: STRICT}}
"""
VISIT = Visit(url="http://web.shop/hello")
LIMIT = 90.0  # seconds for whatever is waited for

pytestmark = [
    pytest.mark.envoy,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8"),
]


class Running:
    """A `meshext up --json`, and what it tells."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.told: list[dict[str, Any]] = []

    async def event(self, kind: str) -> dict[str, Any]:
        """The next event of that kind."""
        assert self.process.stdout is not None
        async with asyncio.timeout(LIMIT):
            while line := await self.process.stdout.readline():
                self.told.append(json.loads(line))
                if self.told[-1]["event"] == kind:
                    return self.told[-1]
        raise AssertionError(f"it ended before {kind}: {self.told}")

    def family(self) -> list[psutil.Process]:
        """All processes that it has started, and theirs."""
        return psutil.Process(self.process.pid).children(recursive=True)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Running]:
    """It runs; whatever a test leaves is killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "meshext", "up", str(folder), "--json"), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def gone(family: list[psutil.Process]) -> None:
    """Until none of these is there any more."""
    async with asyncio.timeout(LIMIT):
        while any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in family):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def call(ready: dict[str, Any]) -> Answer:
    """One call as the caller."""
    async with Customer(workload(ready, "caller")["proxy"]) as customer:
        return await customer.call(VISIT)


async def answered(ready: dict[str, Any]) -> Answer:
    """A call, made again until it is answered."""
    async with asyncio.timeout(LIMIT):
        while (answer := await call(ready)).status != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return answer


def workload(ready: dict[str, Any], name: str) -> dict[str, Any]:
    """What is told about a workload."""
    found: dict[str, Any] = next(each for each in ready["workloads"] if each["name"] == name)
    return found


def write(folder: Path) -> Path:
    (folder / "mesh").mkdir(parents=True)
    (folder / "workloads.yaml").write_text(WORKLOADS)
    (folder / "mesh" / "mesh.yaml").write_text(MESH)
    return folder


def test_a_mesh_from_start_to_end_and_once_more(tmp_path: Path) -> None:
    folder = write(tmp_path / ("long-" * 10) / "mesh")
    (folder / "workloads.yaml").write_text(WORKLOADS + GATEWAY)
    (folder / "mesh" / "mesh.yaml").write_text(MESH + ENTRANCE)

    async def play() -> None:
        async with running(folder) as up:
            ready = await up.event("ready")
            answer = await call(ready)
            assert answer.status == 200
            assert answer.value["upstream"] == "web"
            lines = {name.lower(): value for name, value in answer.value["headers"]}
            assert "URI=spiffe://cluster.local/ns/shop/sa/caller" in lines["x-forwarded-client-cert"]
            plain = await call_directly(workload(ready, "web")["address"], 8080, VISIT)
            assert plain.status == 0
            through = Visit(url="http://shop.test/hello")
            answer = await call_directly(workload(ready, "front")["address"], 8080, through)
            assert answer.value["upstream"] == "web"

            os.kill(workload(ready, "web")["pid"], signal.SIGKILL)
            assert (await up.event("ended"))["name"] == "web.shop"
            await up.event("restarted")
            await answered(ready)

            family = up.family()
            assert len(family) >= 7  # control plane; sidecar, Envoy and application of each workload
            up.process.terminate()
            assert await up.process.wait() == 0
            await gone(family)
        async with running(folder) as up:
            await call(await up.event("ready"))
            family = up.family()
            up.process.kill()  # nothing of ours can run now
            await gone(family)
        log = (folder / ".meshext" / "logs" / "web.shop.log").read_text()
        assert log.count("joined as") == 1  # a token once; later lives begin with the certificate

    asyncio.run(play())


def test_an_application_that_does_not_start_is_told_with_its_words(tmp_path: Path) -> None:
    folder = write(tmp_path)
    # The one with a port: it is not ready before it answers there.
    start = WORKLOADS.index("  command: [sh")
    broken = WORKLOADS[:start] + "  command: [python, -c, 'import sys; sys.exit(\"no database\")']\n"
    broken += WORKLOADS[WORKLOADS.index("  ports: [{port: 8080") :]
    (folder / "workloads.yaml").write_text(broken)

    async def play() -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "meshext", "up", str(folder)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(LIMIT):
            _, told = await process.communicate()
        assert process.returncode is not None
        return process.returncode, told.decode()

    code, told = asyncio.run(play())
    assert code == 1
    assert "web.shop ended with 1; the end of" in told
    assert "\n    no database\n" in told
