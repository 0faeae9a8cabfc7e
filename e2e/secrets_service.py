"""A secret discovery service over a Unix socket, as the agent beside each Envoy is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from e2e.certificates import Pair
from meshext_controlplane.translate.messages import pack
from meshext_controlplane.translate.tls import CERTIFICATE, ROOTS
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2

METHOD = "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets"


def build_secrets(pair: Pair, roots: Path) -> dict[str, secret_pb2.Secret]:
    """The workload's certificate and the mesh's roots."""
    own = secret_pb2.Secret(name=CERTIFICATE)
    own.tls_certificate.certificate_chain.inline_bytes = pair.certificate.read_bytes()
    own.tls_certificate.private_key.inline_bytes = pair.key.read_bytes()
    trusted = secret_pb2.Secret(name=ROOTS)
    trusted.validation_context.trusted_ca.inline_bytes = roots.read_bytes()
    return {each.name: each for each in (own, trusted)}


class Secrets(grpc.GenericRpcHandler):
    """Answers each request with what it names, once."""

    def __init__(self, secrets: Mapping[str, secret_pb2.Secret]) -> None:
        self._secrets = secrets

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        if details.method != METHOD:
            return None
        return grpc.stream_stream_rpc_method_handler(
            self._stream,
            request_deserializer=discovery_pb2.DiscoveryRequest.FromString,
            response_serializer=discovery_pb2.DiscoveryResponse.SerializeToString,
        )

    def _stream(
        self, requests: Iterator[discovery_pb2.DiscoveryRequest], context: Any
    ) -> Iterator[discovery_pb2.DiscoveryResponse]:
        for request in requests:
            if not request.version_info:
                named = [self._secrets[name] for name in request.resource_names]
                yield discovery_pb2.DiscoveryResponse(
                    version_info="1",
                    nonce="1",
                    type_url=request.type_url,
                    resources=[pack(each) for each in named],
                )


@contextmanager
def serving_secrets(socket: Path, secrets: Mapping[str, secret_pb2.Secret]) -> Iterator[None]:
    """A running one; each stream keeps a thread."""
    with ThreadPoolExecutor(16) as pool:
        server = grpc.server(pool, handlers=[Secrets(secrets)])
        server.add_insecure_port(f"unix:{socket}")
        server.start()
        try:
            yield
        finally:
            server.stop(None).wait()
