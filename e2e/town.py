"""Real Envoys as the sidecars of a mesh that a test writes down: translated, and started by hand."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority, Pair
from e2e.secrets_service import build_secrets, serving_secrets
from e2e.stage import received
from meshext.envoy.echo import EchoServer
from meshext.envoy.process import EnvoyProcess
from meshext.sandbox.client import Answer, send
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.translate.peer_authentication import MtlsMode
from meshext_controlplane.translate.policies import Policies
from meshext_controlplane.translate.translator import Translator
from tests.conformance.background import Background
from tests.controlplane.translation.bootstraps import to_bootstrap
from tests.controlplane.translation.meshes import parse_mesh, proxy_of

OPEN, PLAIN, OPEN_TCP = 8081, 8082, 8083
"""Ports of workloads whose modes are PERMISSIVE, DISABLE and PERMISSIVE; all others are STRICT."""


class Modes(Policies):
    """STRICT, with a port for each of the other modes."""

    def mtls_mode(self, workload: Workload, port: int) -> MtlsMode:
        modes = {OPEN: MtlsMode.PERMISSIVE, OPEN_TCP: MtlsMode.PERMISSIVE, PLAIN: MtlsMode.DISABLE}
        return modes.get(port, MtlsMode.STRICT)


@dataclass(frozen=True, slots=True)
class Town:
    """Sidecars of all workloads of a mesh; each application is an echo at `FOLDER/NAME.sock`.

    At `FOLDER/grpc.sock` a gRPC service gives back what it gets.
    """

    folder: Path
    ours: Authority
    papers: Mapping[str, Pair]
    proxy: str

    def call(self, url: str, method: str = "GET", /, **headers: str) -> Answer:
        """What the first workload's application does: ask its HTTP proxy."""
        lines = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return send(self.proxy, method, url, host=url.split("/")[2], headers=lines)


def peers_told(answer: Answer) -> list[str]:
    """What the application was told of the client's certificate, without its hash."""
    return [re.sub("Hash=[0-9a-f]{64};", "", each) for each in received(answer, "x-forwarded-client-cert")]


def call_grpc(target: str, **options: str) -> bytes:
    """A unary call; options of the channel are written with `_` for `.`."""
    named = [(name.replace("grpc_", "grpc.", 1), value) for name, value in options.items()]
    with grpc.insecure_channel(target, options=named) as channel:
        ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/town.Echo/Unary")
        return ask(b"hello", timeout=20, wait_for_ready=True)


class GrpcEcho(grpc.GenericRpcHandler):
    """Any unary call."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        return grpc.unary_unary_rpc_method_handler(lambda message, _: message)


def identity(name: str) -> list[x509.GeneralName]:
    """The SAN of a service account of `shop`."""
    return [x509.UniformResourceIdentifier(f"spiffe://cluster.local/ns/shop/sa/{name}")]


def issue(authority: Authority, name: str, sans: list[x509.GeneralName]) -> Pair:
    """A certificate for both ends of TLS."""
    return authority.issue(name, sans, more=(ExtendedKeyUsageOID.SERVER_AUTH,))


@contextmanager
def opened(mesh_text: str) -> Iterator[Town]:
    """The town of a mesh; `FOLDER` in its text is a folder of its own."""
    with TemporaryDirectory(prefix="mx-") as name, ExitStack() as stack:
        folder, background = Path(name), Background()
        stack.callback(background.close)
        mesh = parse_mesh(mesh_text.replace("FOLDER", name))
        ours = Authority(folder, "ours")
        papers = {each.name: issue(ours, each.name, identity(each.name)) for each in mesh.workloads}
        stack.enter_context(serving_grpc(folder / "grpc.sock"))
        translator = Translator(mesh, policies=Modes)
        for workload in mesh.workloads:
            echo = EchoServer(workload.name)
            background.run(echo.start(f"unix:{folder}/{workload.name}.sock"))
            stack.callback(_close, background, echo.close)
            own = folder / workload.name
            own.mkdir()
            secrets = build_secrets(papers[workload.name], ours.file)
            stack.enter_context(serving_secrets(own / "sds.sock", secrets))
            bootstrap = to_bootstrap(translator.snapshot(proxy_of(workload)), sds=own / "sds.sock")
            envoy = background.run(EnvoyProcess.start(json.dumps(bootstrap), own, concurrency=1))
            stack.callback(_close, background, envoy.stop)
        yield Town(folder, ours, papers, f"http://{mesh.workloads[0].address}:15001")


def _close(background: Background, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
    background.run(close())


@contextmanager
def serving_grpc(path: Path) -> Iterator[None]:
    """A gRPC service over a Unix socket."""
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool, handlers=[GrpcEcho()])
        server.add_insecure_port(f"unix:{path}")
        server.start()
        try:
            yield
        finally:
            server.stop(None).wait()


def serve_tls(server: socket.socket, own: Pair, answer: bytes, *, hear: bool = False) -> None:
    """An application that speaks TLS itself and says one thing, with `hear` after it has heard one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    with suppress(OSError):
        while True:
            link, _ = server.accept()
            with link, suppress(OSError), context.wrap_socket(link, server_side=True) as wire:
                if hear:
                    wire.recv(65536)
                wire.sendall(answer)
