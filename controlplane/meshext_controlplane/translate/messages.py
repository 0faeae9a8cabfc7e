"""Small pieces of Envoy's messages: addresses, packed messages, where configuration comes from."""

from __future__ import annotations

import ipaddress

from google.protobuf.message import Message

from meshext_proto.envoy.config.core.v3 import address_pb2, config_source_pb2, grpc_service_pb2
from meshext_proto.google.protobuf import any_pb2

SDS_CLUSTER = "sds"
"""The static cluster of the agent's local SDS."""


def pack(message: Message) -> any_pb2.Any:
    """The message in an `Any`; equal messages give equal bytes."""
    packed = any_pb2.Any()
    packed.Pack(message, deterministic=True)
    return packed


def build_ads() -> config_source_pb2.ConfigSource:
    """A resource that comes over ADS. Envoy waits for it, however long: nothing is served half."""
    source = config_source_pb2.ConfigSource(
        ads=config_source_pb2.AggregatedConfigSource(), resource_api_version=config_source_pb2.V3
    )
    source.initial_fetch_timeout.seconds = 0
    return source


def build_sds() -> config_source_pb2.ConfigSource:
    """A secret that comes from the agent beside Envoy."""
    envoy = grpc_service_pb2.GrpcService.EnvoyGrpc(cluster_name=SDS_CLUSTER)
    api = config_source_pb2.ApiConfigSource(
        api_type=config_source_pb2.ApiConfigSource.GRPC,
        transport_api_version=config_source_pb2.V3,
        grpc_services=[grpc_service_pb2.GrpcService(envoy_grpc=envoy)],
        set_node_on_first_message_only=True,
    )
    source = config_source_pb2.ConfigSource(api_config_source=api, resource_api_version=config_source_pb2.V3)
    source.initial_fetch_timeout.seconds = 0
    return source


def build_address(host: str, port: int) -> address_pb2.Address:
    """A TCP address."""
    return address_pb2.Address(socket_address=address_pb2.SocketAddress(address=host, port_value=port))


def parse_address(text: str) -> address_pb2.Address:
    """The address of `unix:PATH` or `HOST:PORT`, an IPv6 host in brackets."""
    if text.startswith("unix:"):
        return build_pipe(text.removeprefix("unix:"))
    host, _, port = text.rpartition(":")
    return build_address(host.strip("[]"), int(port))


def is_ip(host: str) -> bool:
    """Whether a host is an IP address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def build_pipe(path: str) -> address_pb2.Address:
    """The address of a Unix socket."""
    return address_pb2.Address(pipe=address_pb2.Pipe(path=path))
