"""The application: started once Envoy is ready, stopped before Envoy ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from meshext.envoy.upstreams import UnixAddress, parse_address
from meshext.lifeline import guarded
from meshext_controlplane.agent.workload_api.socket_file import VARIABLE, to_uri
from meshext_controlplane.model.workload import Workload, WorkloadPort


class Application:
    """A running command. It dies with us, and stands in a process group of its own, so that Ctrl-C reaches
    us alone and we stop it in our order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._asked = False

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str]) -> Self:
        """Run it; one that can not be run ends with 126 or 127 and a line of its own."""
        stdin = asyncio.subprocess.DEVNULL if sys.stdin is None or sys.stdin.isatty() else None
        process = await asyncio.create_subprocess_exec(
            *guarded(list(command)), stdin=stdin, env={**os.environ, **environment}, process_group=0
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def wait(self) -> int:
        """Its exit code as a shell tells it: 128 and the signal where one ended it; 0 for our SIGTERM."""
        code = await self._process.wait()
        if code == -signal.SIGTERM and self._asked:
            return 0
        return code if code >= 0 else 128 - code

    async def stop(self, *, grace: float) -> int:
        """SIGTERM, and SIGKILL for it and all its children after `grace` seconds; its exit code."""
        if self._process.returncode is None:
            self._asked = True
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(grace):
                    await self._process.wait()
            except TimeoutError:
                pass
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return await self.wait()


def remove_left_sockets(ports: Iterable[WorkloadPort]) -> None:
    """Remove sockets that nobody listens on: nobody can bind where a killed process has left one."""
    for port in ports:
        address = parse_address(port.application)
        if isinstance(address, UnixAddress) and (path := Path(address.path)).is_socket():
            with suppress(OSError), socket.socket(socket.AF_UNIX) as asking:
                asking.setblocking(False)
                try:
                    asking.connect(address.path)
                except ConnectionRefusedError:
                    path.unlink()


def build_environment(
    workload: Workload, *, outbound: int, workload_api: Path | None = None
) -> dict[str, str]:
    """What the application is told: its proxy, and the rest of what it is told."""
    host = f"[{workload.address}]" if ":" in workload.address else workload.address
    proxy = f"http://{host}:{outbound}"
    environment = {
        "HTTP_PROXY": proxy,
        "http_proxy": proxy,  # curl knows only this one
        "NO_PROXY": "localhost,127.0.0.1,::1",
        "no_proxy": "localhost,127.0.0.1,::1",
    }
    return {**environment, **tell_identity(workload, workload_api=workload_api)}


def tell_identity(workload: Workload, *, workload_api: Path | None = None) -> dict[str, str]:
    """Who the application is, where it proves that, where it shall listen."""
    environment = {
        "MESHEXT_NAME": workload.name,
        "MESHEXT_NAMESPACE": workload.namespace,
        "MESHEXT_SPIFFE_ID": str(workload.identity),
        "MESHEXT_ADDRESS": workload.address,
    }
    if workload_api is not None:
        environment[VARIABLE] = to_uri(workload_api)
    for port in workload.ports:
        environment[f"MESHEXT_LISTEN_{port.number}"] = port.application
    if len(workload.ports) == 1:
        environment["MESHEXT_LISTEN"] = workload.ports[0].application
    return environment
