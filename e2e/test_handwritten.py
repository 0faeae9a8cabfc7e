"""An Envoy configured by hand, without the bodies that a filter wants: refused, never let past the policy."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from meshext.envoy.bootstrap import LISTENER, Gateway, build_bootstrap
from meshext.envoy.echo import EchoServer
from meshext.envoy.emit import to_json
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.service_cluster import Backend
from meshext.envoy.upstreams import UnixAddress, Upstream
from meshext.hosts.options import ServiceOptions
from meshext.loading import load_needs
from meshext.plan import Mode, Plan, build_plan
from meshext.sandbox.client import Answer, send
from meshext.sandbox.service import ServiceProcess

pytestmark = pytest.mark.envoy

PASSES = f"{Path(__file__).parent}/filters/flowing.py:NoLongSecrets"
LIMIT = '"per_connection_buffer_limit_bytes": '
SPEC = f"{Path(__file__).parent}/filters/bodies.py:NoSecrets"


@asynccontextmanager
async def handwritten(
    spec: str, plan: Plan, folder: Path, lines: list[str], limit: int = 1 << 20
) -> AsyncIterator[str]:
    """The filter's service behind an Envoy with a plan and a buffer of its own."""
    options = ServiceOptions(specs=(spec,), address=f"unix:{folder}/service.sock")
    service = await ServiceProcess.start(options, on_line=lines.append)
    try:
        async with EchoServer("echo") as echo:
            await echo.start(f"unix:{folder}/echo.sock")
            gateway = Gateway(
                upstreams=(Upstream("echo", UnixAddress(f"{folder}/echo.sock")),),
                admin=folder / "admin.sock",
                plan=plan,
                service=Backend(addresses=(UnixAddress(f"{folder}/service.sock"),)),
            )
            bootstrap = re.sub(f"({LIMIT})[0-9]+", rf"\g<1>{limit}", to_json(build_bootstrap(gateway)))
            async with await EnvoyProcess.start(bootstrap, folder) as envoy:
                yield f"http://127.0.0.1:{envoy.port(LISTENER)}"
    finally:
        await service.stop()


@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_a_body_that_is_not_sent_along_is_refused(
    mode: Mode, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines: list[str] = []

    async def post() -> Answer:
        plan = replace(build_plan(load_needs([SPEC]), mode), request_body="", request_trailers=False)
        async with handwritten(SPEC, plan, tmp_path_factory.mktemp("own"), lines) as url:
            return await asyncio.to_thread(send, url, "POST", "/", body=b"a secret")

    assert asyncio.run(post()).status == 500
    assert any("as `meshext config` prints it" in line for line in lines), lines


def test_a_body_that_a_small_buffer_cuts_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """It may flow past only where it is too long, and what the buffer had no room for is not."""
    lines: list[str] = []

    async def post(*sizes: int) -> list[int]:
        plan = build_plan(load_needs([PASSES]), "proc")
        async with handwritten(PASSES, plan, tmp_path_factory.mktemp("own"), lines, limit=4096) as url:
            bodies = [b"x" * size for size in sizes]
            return [(await asyncio.to_thread(send, url, "POST", "/", body=body)).status for body in bodies]

    assert asyncio.run(post(1000, 1_000_000)) == [200, 500]
    assert any("per_connection_buffer_limit_bytes" in line for line in lines), lines
