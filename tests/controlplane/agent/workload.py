"""The Workload API without the rest of a sidecar, and what applications do with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from meshext.envoy.upstreams import TcpAddress
from meshext_controlplane.agent.channels import ControlPlane
from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.svid import Svid, build_csr, check_svid, make_key
from meshext_controlplane.agent.workload_api.options import WorkloadApiOptions
from meshext_controlplane.agent.workload_api.service import PROOF, SERVICE, WorkloadApi
from meshext_controlplane.agent.workload_api.serving import served
from meshext_controlplane.agent.workload_api.tokens import Tokens
from meshext_proto.spiffe import workload_pb2
from tests.controlplane.agent.authority import DAY, Authority

NOWHERE = TcpAddress("127.0.0.1", 1)
IDENTITY = "spiffe://mesh.test/ns/shop/sa/web"
ANSWERS: dict[str, Any] = {
    "FetchX509SVID": workload_pb2.X509SVIDResponse,
    "FetchX509Bundles": workload_pb2.X509BundlesResponse,
    "FetchJWTBundles": workload_pb2.JWTBundlesResponse,
    "FetchJWTSVID": workload_pb2.JWTSVIDResponse,
    "ValidateJWTSVID": workload_pb2.ValidateJWTSVIDResponse,
}


def make_svid(authority: Authority, *, life: timedelta = DAY, identity: str = IDENTITY) -> Svid:
    """A certificate with its key, checked."""
    key = make_key()
    return check_svid(authority.svid(build_csr(key), identity, life=life), key)


@dataclass
class FakeClock:
    """Seconds that pass when a test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Offered:
    """A Workload API that is served."""

    path: Path
    api: WorkloadApi = field(default_factory=WorkloadApi)
    authority: Authority = field(default_factory=Authority)

    clock: FakeClock = field(default_factory=FakeClock)

    def join(self, address: TcpAddress = NOWHERE, **more: Any) -> Credentials:
        """The application has an identity from now on, and tokens from a control plane at `address`."""
        credentials = Credentials(make_svid(self.authority, **more))
        self.api.identify(credentials, Tokens(ControlPlane(address, credentials), clock=self.clock))
        return credentials

    @asynccontextmanager
    async def stream(
        self, method: str, metadata: Sequence[tuple[str, str]] = (PROOF,), *, patient: bool = False
    ) -> AsyncIterator[Any]:
        """A call; `read` gives its next message, `code` its end. A patient one waits for a connection."""
        async with grpc.aio.insecure_channel(f"unix:{self.path}") as channel:
            call: Any = channel.unary_stream(
                f"/{SERVICE}/{method}", response_deserializer=ANSWERS[method].FromString
            )
            async with asyncio.timeout(20):
                yield call(b"", metadata=metadata, wait_for_ready=patient)

    async def ask(self, method: str, request: Any) -> Any:
        """The answer to a call that has one; AioRpcError."""
        async with grpc.aio.insecure_channel(f"unix:{self.path}") as channel:
            call: Any = channel.unary_unary(
                f"/{SERVICE}/{method}", response_deserializer=ANSWERS[method].FromString
            )
            return await call(request.SerializeToString(), metadata=(PROOF,), timeout=20)

    async def ending(self, method: str, metadata: Sequence[tuple[str, str]] = (PROOF,)) -> tuple[Any, str]:
        """How a call ends that gives nothing: its status and text."""
        async with self.stream(method, metadata) as call:
            assert await call.code() is not None
            return await call.code(), await call.details()


@asynccontextmanager
async def offered(folder: Path, *users: int, path: Path | None = None) -> AsyncIterator[Offered]:
    """It, until the block ends."""
    made = Offered(path or folder / "workload.sock")
    options = WorkloadApiOptions(path=made.path, users=users)
    async with served(made.api, options, folder):
        yield made
