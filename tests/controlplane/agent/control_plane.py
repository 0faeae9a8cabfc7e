"""A control plane as a sidecar sees it: real gRPC, real certificates, no rules of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from typing import Any

import grpc
import grpc.aio

from meshext.envoy.upstreams import TcpAddress
from meshext_controlplane.identity.tokens import JoinToken
from meshext_controlplane.snapshot import Resource
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2
from meshext_proto.meshext import svids_pb2, workloads_pb2
from tests.controlplane.agent.authority import DAY, Authority, key_of
from tests.controlplane.identity.tokens_of import Signer
from tests.ports import free_ports

Context = grpc.aio.ServicerContext[Any, Any]


class ControlPlane:
    """Two ports, as the real one has. What it was told is kept in its lists."""

    def __init__(self, authority: Authority | None = None, *, life: timedelta = DAY) -> None:
        self.authority = authority or Authority()
        self.issuer = self.authority
        """Who signs what workloads get; another one's root is trusted here from the start, see `trusted`."""
        self.trusted = [self.authority]
        self.issued: dict[str, list[bytes]] = {}
        self.life = life
        self.age = timedelta()
        self.tokens: dict[str, str] = {}
        self.roots: list[bytes] = []
        self.revocations: list[bytes] = []
        self.joined: list[str] = []
        self.heard: list[str] = []
        """Tokens that somebody has shown."""
        self.keys: list[bytes] = []
        self.extra_chain = b""
        self.renewed: list[str] = []
        self.signer = Signer()
        """Who signs tokens."""
        self.asked: list[svids_pb2.IssueRequest] = []
        self.banned: list[str] = []
        self.claims: dict[str, Any] = {}
        """What tokens claim in place of the truth."""
        self.registrations: list[workloads_pb2.Registration] = []
        self.open_registrations = 0
        self.filters: list[workloads_pb2.Registered.Filter] = []
        self.silent = False
        """Whether configuration is asked for in vain."""
        self.refusal: tuple[grpc.StatusCode, str] | None = None
        self.resources: Callable[[str], Mapping[str, Resource]] = lambda node: {}
        self.nodes: list[discovery_pb2.DeltaDiscoveryRequest] = []
        self.nacks: list[str] = []
        self.sent: list[str] = []
        self.address, self.join_address = (TcpAddress("127.0.0.1", port) for port in free_ports(2))
        self._pushed = asyncio.Event()
        self._servers: list[grpc.aio.Server] = []

    def token(self, identity: str, *, secret: str = "s3cret", fingerprint: bytes | None = None) -> str:
        """A token for an identity."""
        root = (fingerprint or self.authority.fingerprint).hex()
        number = secret.encode().hex()
        token = JoinToken(id=number[:16].zfill(16), secret=number.zfill(64), root=root).reveal()
        self.tokens[token] = identity
        return token

    async def start(self) -> None:
        key, chain = self.authority.server_pair()
        pair = [(key, chain + self.extra_chain)]
        plain = grpc.ssl_server_credentials(pair)
        roots = b"".join(each.pem for each in self.trusted)
        mutual = grpc.ssl_server_credentials(pair, roots, require_client_auth=True)
        join = _unary(self._join, svids_pb2.JoinRequest)
        joining = grpc.method_handlers_generic_handler("meshext.svids.Joining", {"Join": join})
        watch = grpc.unary_stream_rpc_method_handler(
            self._watch_trust,
            request_deserializer=svids_pb2.WatchTrustRequest.FromString,
            response_serializer=svids_pb2.Trust.SerializeToString,
        )
        renew = {"Renew": _unary(self._renew, svids_pb2.RenewRequest), "WatchTrust": watch}
        renewal = grpc.method_handlers_generic_handler("meshext.svids.Renewal", renew)
        self._servers = [
            await _serve(self.join_address, plain, [joining]),
            await _serve(self.address, mutual, [renewal, self._tokens(), self._workloads(), self._ads()]),
        ]

    async def stop(self) -> None:
        servers, self._servers = self._servers, []
        await asyncio.gather(*(server.stop(None) for server in servers))

    async def __aenter__(self) -> ControlPlane:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def renewals(self, name: str) -> int:
        """How often the workload of that service account has renewed."""
        return sum(identity.endswith(f"/{name}") for identity in self.renewed)

    def push(self) -> None:
        """Tell every proxy what is now in `resources`."""
        pushed, self._pushed = self._pushed, asyncio.Event()
        pushed.set()

    async def _join(self, request: svids_pb2.JoinRequest, context: Context) -> svids_pb2.Svid:
        self.heard.append(request.token)
        self.keys.append(key_of(request.csr))
        await self._refuse(context)
        if request.token not in self.tokens:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is unknown, used or expired")
        identity = self.tokens[request.token]
        self.joined.append(identity)
        return self._issue(request.csr, identity, age=self.age)

    async def _renew(self, request: svids_pb2.RenewRequest, context: Context) -> svids_pb2.Svid:
        await self._refuse(context)
        identity = peer(context)
        self.renewed.append(identity)
        return self._issue(request.csr, identity)

    def _issue(self, csr: bytes, identity: str, *, age: timedelta = timedelta()) -> svids_pb2.Svid:
        svid = self.issuer.svid(csr, identity, life=self.life, age=age)
        self.issued.setdefault(identity.rpartition("/")[2], []).append(svid.chain[0])
        del svid.roots[:]
        svid.roots.extend(self.roots or [self.authority.der])
        svid.jwt_keys.append(self._jwt_key())
        svid.banned.extend(self.banned)
        return svid

    async def _watch_trust(self, _: object, context: Context) -> AsyncIterator[svids_pb2.Trust]:
        while True:
            await self._refuse(context)
            yield svids_pb2.Trust(
                roots=self.roots or [self.authority.der],
                revocations=self.revocations,
                jwt_keys=[self._jwt_key()],
                banned=self.banned,
            )
            await self._pushed.wait()

    def _jwt_key(self) -> svids_pb2.JwtKey:
        key = self.signer.public
        return svids_pb2.JwtKey(id=key.id, public=key.public)

    def _tokens(self) -> grpc.GenericRpcHandler:
        async def issue(request: svids_pb2.IssueRequest, context: Context) -> svids_pb2.Jwt:
            self.asked.append(request)
            await self._refuse(context)
            now = int(time.time())
            claims = {"aud": list(request.audiences), "exp": now + 300, "iat": now, "sub": peer(context)}
            return svids_pb2.Jwt(token=self.signer.sign(None, claims | self.claims))

        method = grpc.unary_unary_rpc_method_handler(
            issue,
            request_deserializer=svids_pb2.IssueRequest.FromString,
            response_serializer=svids_pb2.Jwt.SerializeToString,
        )
        return grpc.method_handlers_generic_handler("meshext.svids.Tokens", {"Issue": method})

    async def _refuse(self, context: Context) -> None:
        if self.refusal is not None:
            await context.abort(*self.refusal)

    def _workloads(self) -> grpc.GenericRpcHandler:
        async def register(
            requests: AsyncIterator[workloads_pb2.Registration], context: Context
        ) -> AsyncIterator[workloads_pb2.Registered]:
            await self._refuse(context)
            self.open_registrations += 1
            try:
                async for request in requests:
                    self.registrations.append(request)
                    yield workloads_pb2.Registered(state=request.state, filters=self.filters)
            finally:
                self.open_registrations -= 1

        method = grpc.stream_stream_rpc_method_handler(
            register,
            request_deserializer=workloads_pb2.Registration.FromString,
            response_serializer=workloads_pb2.Registered.SerializeToString,
        )
        return grpc.method_handlers_generic_handler("meshext.workloads.Workloads", {"Register": method})

    def _ads(self) -> grpc.GenericRpcHandler:
        method = grpc.stream_stream_rpc_method_handler(
            self._delta,
            request_deserializer=discovery_pb2.DeltaDiscoveryRequest.FromString,
            response_serializer=discovery_pb2.DeltaDiscoveryResponse.SerializeToString,
        )
        whole = grpc.stream_stream_rpc_method_handler(
            self._sotw,
            request_deserializer=discovery_pb2.DiscoveryRequest.FromString,
            response_serializer=discovery_pb2.DiscoveryResponse.SerializeToString,
        )
        name = "envoy.service.discovery.v3.AggregatedDiscoveryService"
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "DeltaAggregatedResources": method,
            "StreamAggregatedResources": whole,
        }
        return grpc.method_handlers_generic_handler(name, methods)

    async def _sotw(
        self, requests: AsyncIterator[discovery_pb2.DiscoveryRequest], context: Context
    ) -> AsyncIterator[discovery_pb2.DiscoveryResponse]:
        """All of a type to whoever asks first; changes come with the next stream."""
        node = ""
        async for request in requests:
            node = node or request.node.id
            if request.HasField("error_detail"):
                self.nacks.append(request.error_detail.message)
            if not request.response_nonce:
                response = discovery_pb2.DiscoveryResponse(type_url=request.type_url, nonce="n")
                for resource in self.resources(node).values():
                    if resource.type_url == request.type_url:
                        response.resources.add(type_url=resource.type_url, value=resource.body)
                        response.version_info += resource.version
                yield response

    async def _delta(self, _: object, context: Context) -> None:
        """Everything that is asked for and not there yet, each time; no order, no ACKs."""
        has: dict[str, dict[str, str]] = {}
        asked: dict[str, set[str]] = {}
        node = ""
        reading = asyncio.ensure_future(context.read())
        try:
            while True:
                pushed = asyncio.ensure_future(self._pushed.wait())
                for type_url in () if self.silent else tuple(asked):
                    response = _difference(type_url, asked[type_url], has[type_url], self.resources(node))
                    if response is not None:
                        self.sent.extend(each.name for each in response.resources)
                        await context.write(response)
                await asyncio.wait({reading, pushed}, return_when=asyncio.FIRST_COMPLETED)
                pushed.cancel()
                if reading.done():
                    request = reading.result()
                    if request is grpc.aio.EOF:
                        return
                    node = node or request.node.id
                    self._note(request, has, asked)
                    reading = asyncio.ensure_future(context.read())
        finally:
            reading.cancel()

    def _note(
        self,
        request: discovery_pb2.DeltaDiscoveryRequest,
        has: dict[str, dict[str, str]],
        asked: dict[str, set[str]],
    ) -> None:
        if request.HasField("node"):
            self.nodes.append(request)
        if request.HasField("error_detail"):
            self.nacks.append(request.error_detail.message)
        if request.type_url not in asked:
            asked[request.type_url] = set() if request.resource_names_subscribe else {"*"}
            has[request.type_url] = dict(request.initial_resource_versions)
        asked[request.type_url] |= set(request.resource_names_subscribe)
        asked[request.type_url] -= set(request.resource_names_unsubscribe)


def peer(context: Context) -> str:
    """The identity that the client has proved."""
    return next(iter(context.auth_context()["peer_spiffe_id"])).decode()


def _difference(
    type_url: str, asked: set[str], has: dict[str, str], resources: Mapping[str, Resource]
) -> discovery_pb2.DeltaDiscoveryResponse | None:
    response = discovery_pb2.DeltaDiscoveryResponse(type_url=type_url, nonce="n")
    wanted = {
        name: resource
        for name, resource in resources.items()
        if resource.type_url == type_url and ("*" in asked or name in asked)
    }
    for name, resource in wanted.items():
        if has.get(name) != resource.version:
            has[name] = resource.version
            added = response.resources.add(name=name, version=resource.version)
            added.resource.type_url, added.resource.value = type_url, resource.body
    for name in has.keys() - wanted.keys():
        del has[name]
        response.removed_resources.append(name)
    return response if response.resources or response.removed_resources else None


def _unary(answer: Any, request: Any) -> grpc.RpcMethodHandler[Any, Any]:
    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=request.FromString,
        response_serializer=svids_pb2.Svid.SerializeToString,
    )


async def _serve(
    address: TcpAddress, tls: grpc.ServerCredentials, handlers: list[grpc.GenericRpcHandler]
) -> grpc.aio.Server:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(tuple(handlers))
    server.add_secure_port(str(address), tls)
    await server.start()
    return server
