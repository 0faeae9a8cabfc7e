"""What a port speaks, told from what documents and workloads say about it."""

from __future__ import annotations

from enum import Enum


class Protocol(Enum):
    """A port's protocol, as `WorkloadPort.protocol` writes it."""

    HTTP = "http"
    HTTP2 = "http2"
    GRPC = "grpc"
    GRPC_WEB = "grpc-web"
    TLS = "tls"
    TCP = "tcp"

    @property
    def is_http(self) -> bool:
        """Whether routes and HTTP filters apply."""
        return self not in (Protocol.TLS, Protocol.TCP)

    @property
    def is_http2(self) -> bool:
        """Whether the application speaks HTTP/2."""
        return self.is_http and self is not Protocol.HTTP


KNOWN = {
    "http": Protocol.HTTP,
    "kubernetes.io/ws": Protocol.HTTP,
    "http2": Protocol.HTTP2,
    "kubernetes.io/h2c": Protocol.HTTP2,
    "grpc": Protocol.GRPC,
    "grpc-web": Protocol.GRPC_WEB,
    "https": Protocol.TLS,
    "kubernetes.io/wss": Protocol.TLS,
    "tls": Protocol.TLS,
    "tcp": Protocol.TCP,
    "mongo": Protocol.TCP,
    "redis": Protocol.TCP,
    "mysql": Protocol.TCP,
}
"""Names of protocols, lower-case: of `appProtocol`, of `protocol`, and before the `-` of a port's name."""


def find_protocol(app_protocol: str, name: str, protocol: str = "") -> Protocol | None:
    """What the words about a port say; None where they say nothing that is known."""
    web = "grpc-web" if name.lower().startswith("grpc-web-") else ""
    for word in (app_protocol, name, web or name.partition("-")[0], protocol):
        if found := KNOWN.get(word.lower()):
            return found
    return None
