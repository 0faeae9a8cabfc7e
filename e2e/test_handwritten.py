"""An Envoy configured by hand, without the bodies that a filter wants: refused, never let past the policy."""

from __future__ import annotations

import asyncio
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
from meshext.plan import Mode, build_plan
from meshext.sandbox.client import Answer, send
from meshext.sandbox.service import ServiceProcess

pytestmark = pytest.mark.envoy

SPEC = f"{Path(__file__).parent}/filters/bodies.py:NoSecrets"


@asynccontextmanager
async def forgetful(mode: Mode, folder: Path, lines: list[str]) -> AsyncIterator[str]:
    """The filter's service behind an Envoy that was told that no filter wants bodies."""
    plan = replace(build_plan(load_needs([SPEC]), mode), request_body="", request_trailers=False)
    options = ServiceOptions(specs=(SPEC,), address=f"unix:{folder}/service.sock")
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
            async with await EnvoyProcess.start(to_json(build_bootstrap(gateway)), folder) as envoy:
                yield f"http://127.0.0.1:{envoy.port(LISTENER)}"
    finally:
        await service.stop()


@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_a_body_that_is_not_sent_along_is_refused(
    mode: Mode, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines: list[str] = []

    async def post() -> Answer:
        async with forgetful(mode, tmp_path_factory.mktemp("own"), lines) as url:
            return await asyncio.to_thread(send, url, "POST", "/", body=b"a secret")

    assert asyncio.run(post()).status == 500
    assert any("as `meshext config` prints it" in line for line in lines), lines
