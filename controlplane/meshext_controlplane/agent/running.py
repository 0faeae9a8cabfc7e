"""What an agent does first, whatever it runs: its folder, the Workload API, its identity; then its life."""

from __future__ import annotations

import asyncio

from meshext.envoy.preflight import Address, check_free
from meshext_controlplane.agent.directory import Directory
from meshext_controlplane.agent.entrance import enter
from meshext_controlplane.agent.metrics import Counts
from meshext_controlplane.agent.options import SidecarOptions
from meshext_controlplane.agent.parts import unless
from meshext_controlplane.agent.proxyless import Proxyless
from meshext_controlplane.agent.sidecar import Sidecar
from meshext_controlplane.agent.stopping import Stop
from meshext_controlplane.agent.workload_api.service import WorkloadApi
from meshext_controlplane.agent.workload_api.serving import offered


async def run_agent(options: SidecarOptions, stop: Stop) -> int:
    """Run until the application ends or `stop` is asked for; the application's exit code.

    AgentError, EnvoyError or ListenError where it can not start.
    """
    for host, port in options.own_ports:
        check_free(Address(host, port))
    directory = Directory(options.data)
    kind = Proxyless if options.grpc else Sidecar
    try:
        api = WorkloadApi(Counts())
        async with offered(api, options.workload_api, directory.path):
            svid = await unless(stop.wanted, asyncio.ensure_future(enter(directory, options)))
            return 0 if svid is None else await kind(options, directory, svid, api).live(stop)
    finally:
        directory.close()
