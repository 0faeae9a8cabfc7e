"""The benchmark's clients: as many proxies as asked for, each with a connection of its own over mTLS.

They acknowledge from raw bytes, and come back with the versions that they have when the server has gone.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import grpc

from e2e.bench.scale.mesh import NAMESPACE
from e2e.bench.scale.scanning import scan, scan_state
from meshext_controlplane.snapshot import CLUSTER, ENDPOINT, LISTENER, ROUTE
from meshext_controlplane.translate.names import name_outbound
from meshext_controlplane.xds.ads import SERVICE
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2

TYPES = (CLUSTER, ENDPOINT, LISTENER, ROUTE)
TARGET_NAME = "controlplane.meshext.internal"
_AGAIN = 0.2  # seconds until a client whose stream has ended tries again
_OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.ssl_target_name_override", TARGET_NAME),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


class Client:
    """One proxy, in delta."""

    METHOD = "DeltaAggregatedResources"

    def __init__(self, node_id: str, names: dict[str, list[str]]) -> None:
        self._node_id = node_id
        self._names = names
        self._versions: dict[str, dict[str, str]] = {url: {} for url in TYPES}

    async def run(self, port: int, credentials: grpc.ChannelCredentials) -> None:
        """Stay connected."""
        async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=_OPTIONS) as channel:
            method: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(
                f"/{SERVICE}/{self.METHOD}"
            )
            while True:
                try:
                    await self._stream(method(wait_for_ready=True))
                except grpc.aio.AioRpcError:
                    await asyncio.sleep(_AGAIN)

    async def _stream(self, call: grpc.aio.StreamStreamCall[bytes, bytes]) -> None:
        for type_url in TYPES:
            await call.write(self.greet(type_url))
        while True:
            data: object = await call.read()
            if not isinstance(data, bytes):
                raise ConnectionError(await call.details())
            await call.write(self.acknowledge(data))

    def greet(self, type_url: str) -> bytes:
        """The first request for a type, with the versions that it has."""
        message = discovery_pb2.DeltaDiscoveryRequest(
            type_url=type_url,
            resource_names_subscribe=self._names.get(type_url, ()),
            initial_resource_versions=self._versions[type_url],
        )
        message.node.id = self._node_id
        return message.SerializeToString()

    def acknowledge(self, data: bytes) -> bytes:
        """Take a response."""
        type_url, nonce, versions, removed = scan(data)
        held = self._versions[type_url]
        held.update(versions)
        for name in removed:
            held.pop(name, None)
        return discovery_pb2.DeltaDiscoveryRequest(
            type_url=type_url, response_nonce=nonce
        ).SerializeToString()


class StateClient(Client):
    """One proxy, in state of the world: each request lists all names."""

    METHOD = "StreamAggregatedResources"

    def __init__(self, node_id: str, names: dict[str, list[str]], asked: dict[str, bytes]) -> None:
        super().__init__(node_id, names)
        self._asked = asked
        self._version = dict.fromkeys(TYPES, "")

    def greet(self, type_url: str) -> bytes:
        """See `Client.greet`."""
        message = discovery_pb2.DiscoveryRequest(version_info=self._version[type_url])
        message.node.id = self._node_id
        return self._asked[type_url] + message.SerializeToString()

    def acknowledge(self, data: bytes) -> bytes:
        """See `Client.acknowledge`."""
        type_url, nonce, version = scan_state(data)
        self._version[type_url] = version
        answer = discovery_pb2.DiscoveryRequest(version_info=version, response_nonce=nonce)
        return self._asked[type_url] + answer.SerializeToString()


async def run(port: int, services: int, proxies: int, certificates: Path, *, sotw: bool) -> None:
    names = {
        ENDPOINT: [
            name_outbound(80, "", f"service-{number}.{NAMESPACE}.svc.cluster.local")
            for number in range(services)
        ],
        ROUTE: ["outbound-http", "inbound-8080"],
    }
    files = [certificates / name for name in ("root.pem", "client.key", "client.pem")]
    credentials = grpc.ssl_channel_credentials(*(file.read_bytes() for file in files))
    asked = {  # what a message's bytes are followed by adds to them
        url: discovery_pb2.DiscoveryRequest(
            type_url=url, resource_names=names.get(url, ())
        ).SerializeToString()
        for url in TYPES
    }
    nodes = [f"service-{number % services}-{number}.{NAMESPACE}" for number in range(proxies)]
    clients = [StateClient(node, names, asked) if sotw else Client(node, names) for node in nodes]
    await asyncio.gather(*(client.run(port, credentials) for client in clients))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--services", type=int, required=True)
    parser.add_argument("--proxies", type=int, required=True)
    parser.add_argument("--certificates", type=Path, required=True)
    parser.add_argument("--sotw", action="store_true")
    given = parser.parse_args()
    asyncio.run(run(given.port, given.services, given.proxies, given.certificates, sotw=given.sotw))


if __name__ == "__main__":
    main()
