"""The service `meshext.admin.Admin`: what operators see and change (`proto/meshext/admin.proto`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

import grpc
from google.protobuf.message import DecodeError

from meshext.errors import MeshextError
from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.redaction import redact_resource
from meshext_controlplane.registrations import to_registration
from meshext_controlplane.server.configuring import Configuring, Edit, show_text
from meshext_controlplane.server.difference import diff_documents, diff_snapshots
from meshext_controlplane.server.serving import Serving
from meshext_controlplane.server.slicing import Slicer
from meshext_controlplane.snapshot import TYPES
from meshext_controlplane.sources.configuration import tell_held
from meshext_controlplane.sources.places import Origin, show_places
from meshext_controlplane.xds.hub import Hub
from meshext_controlplane.xds.status import ProxyStatus
from meshext_proto.meshext import admin_pb2

SERVICE = "meshext.admin.Admin"

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Admit = Callable[[Context, str], Awaitable[None]]
R = TypeVar("R")


class AdminService:
    """For the local socket, which only the owner of the state directory can open, and for who is admitted."""

    def __init__(
        self,
        configuring: Configuring,
        serving: Serving,
        hub: Hub,
        proxies: Callable[[], Iterable[Proxy]],
        *,
        ready: Callable[[], bool],
    ) -> None:
        self._configuring = configuring
        self._serving = serving
        self._hub = hub
        self._proxies = proxies
        self._ready = ready

    def handlers(self, admit: Admit | None = None) -> grpc.GenericRpcHandler:
        """For `grpc.aio.Server.add_generic_rpc_handlers`; `admit` aborts what a caller may not ask for."""
        methods: dict[str, tuple[Callable[[Any, Context], Awaitable[Any]], type[Any]]] = {
            "Apply": (self._apply, admin_pb2.ApplyRequest),
            "Delete": (self._delete, admin_pb2.DeleteRequest),
            "Look": (self._look, admin_pb2.LookRequest),
            "ProxyStatus": (self._proxy_status, admin_pb2.ProxyStatusRequest),
            "Resources": (self._resources, admin_pb2.ResourcesRequest),
        }
        handlers = {name: _unary(name, *method, admit) for name, method in methods.items()}
        return grpc.method_handlers_generic_handler(SERVICE, handlers)

    async def _apply(self, request: admin_pb2.ApplyRequest, _: Context) -> admin_pb2.ApplyReply:
        texts = [Origin(text.source, text.content) for text in request.texts]
        before = self._snapshots(request.dry_run)
        edit = await self._configuring.apply(texts, dry_run=request.dry_run)
        return self._tell(edit, before)

    async def _delete(self, request: admin_pb2.DeleteRequest, context: Context) -> admin_pb2.ApplyReply:
        key = self._find(request)
        before = self._snapshots(request.dry_run)
        edit = await self._configuring.delete(key, dry_run=request.dry_run)
        if edit is None:
            name = f"{key[0]} {key[1]}/{key[2]}"
            told = f"{name} was not applied; `meshext get` lists what is served, and where it is from"
            await context.abort(grpc.StatusCode.NOT_FOUND, told)
            raise AssertionError("abort returns nothing")
        return self._tell(edit, before)

    async def _look(self, _request: admin_pb2.LookRequest, _: Context) -> admin_pb2.LookReply:
        configuration, mesh = self._configuring.configuration, self._serving.mesh
        reply = admin_pb2.LookReply(
            problems=[str(each) for each in configuration.problems],
            warnings=tell_held(configuration),
            trust_domain=mesh.config.trust_domain,
            ready=self._ready(),
        )
        slicer = Slicer()
        places = show_places([*configuration.good.values()])
        for (key, placed), place in zip(configuration.good.items(), places, strict=True):
            reply.documents.add(
                kind=key[0],
                namespace=key[1],
                name=key[2],
                text=admin_pb2.Text(source=place, content=show_text(placed, slicer)),
                applied=self._configuring.is_applied(key),
                mode=mesh.plans[key].mode if key in mesh.plans else "",
            )
        for workload in mesh.workloads:
            registration = to_registration(workload).SerializeToString()
            reply.workloads.add(spiffe_id=str(workload.identity), registration=registration)
        return reply

    async def _proxy_status(
        self, _request: admin_pb2.ProxyStatusRequest, _: Context
    ) -> admin_pb2.ProxyStatusReply:
        return admin_pb2.ProxyStatusReply(proxies=map(self._show_proxy, self._hub.status()))

    def _show_proxy(self, status: ProxyStatus) -> admin_pb2.ProxyStatusReply.Proxy:
        message = to_message(status)
        for service, held in self._serving.missing_at(status.node_id):
            _, namespace, name = service.name.split("|")
            message.missing.add(namespace=namespace, name=name, held=held)
        return message

    async def _resources(
        self, request: admin_pb2.ResourcesRequest, context: Context
    ) -> admin_pb2.ResourcesReply:
        proxy = next((each for each in self._proxies() if each.node_id == request.node_id), None)
        if proxy is None:
            told = f"{request.node_id}: no proxy of that name is connected; `meshext proxy-status` lists them"
            await context.abort(grpc.StatusCode.NOT_FOUND, told)
            raise AssertionError("abort returns nothing")
        snapshot = self._serving.snapshot_of(proxy)
        reply = admin_pb2.ResourcesReply()
        for type_url in TYPES:
            for name, each in sorted(snapshot.named(type_url).items()):
                body = redact_resource(each).body
                reply.resources.add(type_url=type_url, name=name, version=each.version, body=body)
        return reply

    def _find(self, request: admin_pb2.DeleteRequest) -> tuple[str, str, str]:
        """The key as it is written in the documents, whatever case the kind was asked in."""
        asked = (request.kind.lower(), request.namespace, request.name)
        known = self._configuring.configuration.good
        exact = (request.kind, request.namespace, request.name)
        return next((key for key in known if (key[0].lower(), key[1], key[2]) == asked), exact)

    def _snapshots(self, dry_run: bool) -> list[tuple[Proxy, Any]]:
        """What proxies have now: only who asks what would change pays for knowing it."""
        proxies = self._proxies() if dry_run else ()
        return [(proxy, self._serving.snapshot_of(proxy)) for proxy in proxies]

    def _tell(self, edit: Edit, before: list[tuple[Proxy, Any]]) -> admin_pb2.ApplyReply:
        reply = admin_pb2.ApplyReply(
            documents=diff_documents(edit.before, edit.after), problems=edit.problems
        )
        if not edit.problems and before:
            written = edit.configuration
            mesh = replace(
                self._serving.mesh,
                config=written.config,
                documents=written.documents,
                plans=edit.plans,
            )
            preview = self._serving.preview(mesh)
            reply.resources.extend(
                diff_snapshots((proxy, snapshot, preview.snapshot(proxy)) for proxy, snapshot in before)
            )
        return reply


def to_message(status: ProxyStatus) -> admin_pb2.ProxyStatusReply.Proxy:
    """One stream for the wire."""
    message = admin_pb2.ProxyStatusReply.Proxy(
        node_id=status.node_id,
        spiffe_id=status.identity,
        envoy=".".join(map(str, status.envoy)) if any(status.envoy) else "-",
        protocol=status.protocol,
        since=status.since,
        problem=status.problem,
        serial=status.serial,
        kind=status.kind,
    )
    for each in status.types:
        message.types.add(
            type_url=each.type_url,
            state=each.sync.value,
            version=each.version,
            resources=each.resources,
            sent=each.sent,
            accepted=each.accepted,
            nacked=each.nacked,
            error=each.error,
            refused=each.refused,
        )
    return message


def _unary(
    name: str, answer: Callable[[Any, Context], Awaitable[R]], kind: type[Any], admit: Admit | None
) -> grpc.RpcMethodHandler[Any, Any]:
    """A method whose known errors become its status. A caller that is not admitted is read no further."""

    async def serve(body: bytes, context: Context) -> R:
        if admit is not None:
            await admit(context, name)
        try:
            return await answer(kind.FromString(body), context)
        except DecodeError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"that is no {kind.DESCRIPTOR.full_name}")
            raise
        except MeshextError as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            raise

    return grpc.unary_unary_rpc_method_handler(
        serve,
        response_serializer=lambda reply: reply.SerializeToString(),
    )
