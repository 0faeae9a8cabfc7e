"""gRPC to the control plane: who it has to be, and how much it may say."""

from __future__ import annotations

from dataclasses import dataclass

import grpc
import grpc.aio

from meshext.envoy.upstreams import TcpAddress
from meshext_controlplane.agent.clock import explain_handshake
from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.svid import Svid

SERVER_NAME = "controlplane.meshext.internal"
"""The DNS name in the control plane's certificate; no workload's has one."""

MAX_MESSAGE = 64 * 1024 * 1024
"""Bytes of one message that the control plane may send."""

_OPTIONS = (
    ("grpc.ssl_target_name_override", SERVER_NAME),
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    # A control plane that vanished without a word is noticed within half a minute.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 15_000),
    # Two sidecars in one process, as in tests, must not share a connection, nor its certificate.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
)


def open_joining_channel(address: TcpAddress, root_pem: bytes) -> grpc.aio.Channel:
    """A channel to the joining port of the control plane that this root vouches for."""
    return _open(address, grpc.ssl_channel_credentials(root_certificates=root_pem))


def open_channel(address: TcpAddress, svid: Svid) -> grpc.aio.Channel:
    """A channel to the control plane by mTLS."""
    tls = grpc.ssl_channel_credentials(
        root_certificates=svid.roots_pem, private_key=svid.key_pem, certificate_chain=svid.chain_pem
    )
    return _open(address, tls)


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """Where the control plane is, and what we show to it; channels are with the certificate of the moment."""

    address: TcpAddress
    credentials: Credentials

    def open(self) -> grpc.aio.Channel:
        """A channel, to be closed by the caller."""
        return open_channel(self.address, self.credentials.svid)


def _open(address: TcpAddress, tls: grpc.ChannelCredentials) -> grpc.aio.Channel:
    return grpc.aio.secure_channel(str(address), tls, options=_OPTIONS)


def say(error: grpc.aio.AioRpcError) -> str:
    """What went wrong, in a few words."""
    details = error.details() or "no reason was given"
    return f"{error.code().name}: {explain_handshake(details) or details}"
