"""The real gRPC client, in a process of its own, against a snapshot: what of it does the client refuse?

As a program: dials every target that a line of its input names, and answers with a line.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio

from meshext_controlplane.agent.grpc_bootstrap import GrpcSetup, build_grpc_bootstrap
from meshext_controlplane.model.proxy import Proxy, ProxyKind
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.snapshot import LISTENER, Snapshot
from meshext_controlplane.xds.ads import SERVER_OPTIONS, AdsService
from meshext_controlplane.xds.hub import Hub
from meshext_controlplane.xds.limits import Node
from meshext_controlplane.xds.stream import Context

IDENTITY = SpiffeId("cluster.local", "shop", "caller")
CLIENT = Proxy(
    node_id="caller-1.shop",
    identity=IDENTITY,
    workload=Workload(name="caller-1", identity=IDENTITY, address="127.1.0.1"),
    kind=ProxyKind.GRPC,
)
SECONDS = 1.0  # for one call: long enough for all that it needs to be asked for and judged


@dataclass
class Taker:
    """The client's process, and the socket at which it asks."""

    process: subprocess.Popen[str]
    socket: Path

    async def refusals(self, snapshot: Snapshot) -> list[str]:
        """What the client says about what it does not take; it dials every listener."""
        hub = Hub(lambda _: snapshot)
        self.socket.unlink(missing_ok=True)
        server = grpc.aio.server(options=SERVER_OPTIONS)
        server.add_generic_rpc_handlers((AdsService(hub, admit).handlers(),))
        server.add_insecure_port(f"unix:{self.socket}")
        await server.start()
        running = asyncio.create_task(hub.run())
        try:
            await asyncio.to_thread(self._dial, sorted(snapshot.named(LISTENER)))
            told = [part for each in hub.status() for part in each.types]
            return sorted({part.error for part in told if part.error})
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await server.stop(None)

    def _dial(self, names: list[str]) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(names) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == f"{len(names)}\n"


def admit(_: Context, __: Node) -> Proxy:
    """Whoever asks."""
    return CLIENT


@contextmanager
def taking() -> Iterator[Taker]:
    """A client that lives as long as the block."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        setup = GrpcSetup(
            name="caller-1", identity=IDENTITY, agent=folder / "ads.sock", certificates=folder / "none"
        )
        (folder / "bootstrap.json").write_text(build_grpc_bootstrap(setup))
        environment = {
            **os.environ,
            "GRPC_XDS_BOOTSTRAP": str(folder / "bootstrap.json"),
            "GRPC_VERBOSITY": "NONE",
        }
        command = [sys.executable, "-m", "tests.controlplane.translation.dialing"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            try:
                yield Taker(process, folder / "ads.sock")
            finally:
                process.terminate()


def dial(names: list[str]) -> None:
    """One call to each, all at once."""
    channels = [grpc.secure_channel(f"xds:///{name}", grpc.xds_channel_credentials()) for name in names]
    methods: list[grpc.UnaryUnaryMultiCallable[bytes, bytes]] = [
        channel.unary_unary("/a.B/C") for channel in channels
    ]
    for call in [method.future(b"", timeout=SECONDS) for method in methods]:
        with suppress(grpc.RpcError):
            call.result()
    for channel in channels:
        channel.close()


if __name__ == "__main__":
    for line in sys.stdin:
        dial(json.loads(line))
        sys.stdout.write(f"{len(json.loads(line))}\n")
        sys.stdout.flush()
