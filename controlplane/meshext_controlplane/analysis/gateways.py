"""Gateways: certificates that are not there, servers that keep each other out, routes that nobody reaches."""

from __future__ import annotations

from collections.abc import Iterator

from meshext.config.places import Path
from meshext_controlplane.analysis.gateway_places import find_places, places_of
from meshext_controlplane.analysis.messages import Message
from meshext_controlplane.analysis.traffic import told
from meshext_controlplane.model.credential import SUFFIX
from meshext_controlplane.model.gateway import PLAIN, Gateway, Server
from meshext_controlplane.model.gateway_names import MESH, is_bound, qualify_gateway
from meshext_controlplane.model.hosts import covers, qualify_host
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.secret import Secret
from meshext_controlplane.model.server_tls import ServerTls
from meshext_controlplane.model.service_entry import ServiceEntry
from meshext_controlplane.model.sidecar import Sidecar
from meshext_controlplane.model.virtual_service import L4Match, VirtualService


def check_certificates(mesh: Mesh) -> Iterator[Message]:
    """Servers whose Secrets are not there, or hold something else."""
    secrets = {(each.metadata.namespace, each.metadata.name): each for each in mesh.of(Secret)}
    places = find_places(mesh)
    for gateway in mesh.of(Gateway):
        namespaces = {each.namespace for each in places_of(places, gateway)}
        for number, server in enumerate(gateway.spec.servers):
            path: Path = ("spec", "servers", number, "tls")
            if server.tls is None:
                continue
            for namespace in sorted(namespaces or _with_secrets(server.tls, secrets, gateway)):
                for line in _tell_tls(server.tls, namespace, secrets):
                    yield told("MX401", gateway, path, line)


Secrets = dict[tuple[str, str], Secret]


def _with_secrets(tls: ServerTls, secrets: Secrets, gateway: Gateway) -> set[str]:
    """Where its gateway may be, when nothing tells: where its first Secret is, else where it is itself."""
    first = tls.credentials[:1]
    return {namespace for namespace, name in secrets if name in first} or {gateway.metadata.namespace}


def _tell_tls(tls: ServerTls, namespace: str, secrets: Secrets) -> Iterator[str]:
    for name in tls.credentials:
        secret = secrets.get((namespace, name))
        if secret is None:
            yield f"there is no Secret {namespace}/{name}, in the namespace of its gateway; add it"
        elif trouble := secret.trouble():
            yield f"Secret {namespace}/{name} is no certificate: {trouble}; write it as PEM"
    if tls.asks:
        own = tls.ca_cert_credential_name
        names = [own] if own else [tls.credentials[0], f"{tls.credentials[0]}{SUFFIX}"]
        found = [secrets[namespace, name] for name in names if (namespace, name) in secrets]
        if all(each.trouble_of_authorities() for each in found):
            where = " or ".join(f"{namespace}/{name}" for name in names)
            yield f"no ca.crt in Secret {where} says whose clients are let in; add it"


def check_selectors(mesh: Mesh) -> Iterator[Message]:
    """Gateways that nobody serves, where gateway workloads are known."""
    places = find_places(mesh)
    for gateway in mesh.of(Gateway):
        if places and not places_of(places, gateway):
            shown = ", ".join(f"{name}: {value}" for name, value in gateway.spec.selector.items())
            text = f"no gateway has the labels {shown}; compare with those of its token or Workload"
            yield told("MX408", gateway, ("spec", "selector"), text)


def check_bindings(mesh: Mesh) -> Iterator[Message]:
    """VirtualServices for Gateways that are not there, or have none of their hosts."""
    gateways = {each.full_name: each for each in mesh.of(Gateway)}
    for document in mesh.of(VirtualService):
        namespace = document.metadata.namespace
        for number, name in enumerate(document.spec.gateways):
            path: Path = ("spec", "gateways", number)
            full = qualify_gateway(name, namespace)
            if full == MESH:
                continue
            if full not in gateways:
                yield told(
                    "MX402", document, path, f"there is no Gateway {full}; write NAMESPACE/NAME of one"
                )
            elif not any(_has_host(each, gateways[full], document) for each in gateways[full].spec.servers):
                text = f"no server of {full} has one of its hosts; add it there, or correct it here"
                yield told("MX403", document, path, text)
        yield from _check_matches(document)


def _has_host(server: Server, gateway: Gateway, document: VirtualService) -> bool:
    """Whether a server and a VirtualService have a host in common."""
    namespace = document.metadata.namespace
    for text in server.hosts:
        wanted, slash, host = text.rpartition("/")
        wanted = gateway.metadata.namespace if wanted == "." else wanted
        if slash and wanted not in ("*", namespace):
            continue
        named = [qualify_host(each, namespace) for each in document.spec.hosts]
        if any(covers(host, each) or covers(each, host) for each in named):
            return True
    return False


def _check_matches(document: VirtualService) -> Iterator[Message]:
    namespace = document.metadata.namespace
    for path, names in _find_matches(document):
        for name in names:
            full = qualify_gateway(name, namespace)
            if not is_bound(document.spec.gateways, namespace, full):
                text = f"it is not for {full} as a whole, so nothing matches; add it to spec.gateways"
                yield told("MX406", document, (*path, "gateways"), text)


def _find_matches(document: VirtualService) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for at, route in enumerate(document.spec.http):
        for number, match in enumerate(route.match):
            yield ("spec", "http", at, "match", number), match.gateways
    connections: list[tuple[str, int, tuple[L4Match, ...]]] = [
        *(("tls", at, each.match) for at, each in enumerate(document.spec.tls)),
        *(("tcp", at, each.match) for at, each in enumerate(document.spec.tcp)),
    ]
    for kind, at, matches in connections:
        for number, each in enumerate(matches):
            yield ("spec", kind, at, "match", number), each.gateways


def check_servers(mesh: Mesh) -> Iterator[Message]:
    """Servers that no VirtualService is for."""
    documents = mesh.of(VirtualService)
    for gateway in mesh.of(Gateway):
        bound = [
            each
            for each in documents
            if is_bound(each.spec.gateways, each.metadata.namespace, gateway.full_name)
        ]
        for number, server in enumerate(gateway.spec.servers):
            redirects = server.tls is not None and server.tls.https_redirect
            serving = any(_has_host(server, gateway, each) and _has_routes(server, each) for each in bound)
            if not serving and not redirects:
                kind = _routes_for(server)
                text = (
                    f"no VirtualService with {kind} routes is for {gateway.full_name} and its hosts; add one"
                )
                yield told("MX404", gateway, ("spec", "servers", number), text)


def _routes_for(server: Server) -> str:
    """Which routes of a VirtualService count at a server."""
    passes = server.tls is not None and server.tls.mode == "PASSTHROUGH"
    if passes:
        return "tls"
    return "http" if server.port.protocol in (*PLAIN, "HTTPS") else "tcp"


def _has_routes(server: Server, document: VirtualService) -> bool:
    return bool(getattr(document.spec, _routes_for(server)))


def check_conflicts(mesh: Mesh) -> Iterator[Message]:
    """Servers of one port that exclude each other, within what one gateway serves."""
    seen: dict[tuple[tuple[tuple[str, str], ...], str, int], list[tuple[str, Server]]] = {}
    for gateway in mesh.of(Gateway):
        labels = tuple(sorted(gateway.spec.selector.items()))
        for number, server in enumerate(gateway.spec.servers):
            others = seen.setdefault((labels, server.bind, server.port.number), [])
            for name, other in others:
                if text := _exclude(name, other, server):
                    yield told("MX405", gateway, ("spec", "servers", number), text)
                    break
            others.append((f"server {server.port.name} of {gateway.full_name}", server))


def _exclude(name: str, first: Server, server: Server) -> str:
    """What an earlier server takes from a later one, "" for nothing."""
    one, other = _family(first), _family(server)
    if one != other:
        return f"{name} speaks {first.port.protocol} at the same port; give one another port"
    if other == "TCP":
        return f"{name} takes every connection of the port; give one another port"
    hosts = {host.rpartition("/")[2] for host in server.hosts}
    same = sorted(hosts & {host.rpartition("/")[2] for host in first.hosts})
    if other == "TLS" and same:
        return f"{name} has {', '.join(same)} too, and is the one; write each name once"
    return ""


def _family(server: Server) -> str:
    if server.port.protocol in PLAIN:
        return "HTTP"
    return "TCP" if server.port.protocol == "TCP" else "TLS"


def check_unnamed(mesh: Mesh) -> Iterator[Message]:
    """Connections to hosts that are looked up as a request names them: a connection names none."""
    asked = [
        (qualify_host(host, entry.metadata.namespace), entry.spec.resolution)
        for entry in mesh.of(ServiceEntry)
        if entry.spec.resolution in ("NONE", "DYNAMIC_DNS")
        for host in entry.spec.hosts
    ]
    for document in mesh.of(VirtualService):
        if all(name == MESH for name in document.spec.gateways):
            continue
        for path, host in _find_raw_destinations(document):
            found = next((how for name, how in asked if name == host), None)
            if found is not None:
                text = f"{host} has resolution {found}, which needs a request; write DNS or STATIC"
                yield told("MX409", document, path, text)


def _find_raw_destinations(document: VirtualService) -> Iterator[tuple[Path, str]]:
    namespace = document.metadata.namespace
    routes = [
        *(("tls", at, each.route) for at, each in enumerate(document.spec.tls)),
        *(("tcp", at, each.route) for at, each in enumerate(document.spec.tcp)),
    ]
    for kind, at, route in routes:
        for number, each in enumerate(route):
            path: Path = ("spec", kind, at, "route", number, "destination", "host")
            yield path, qualify_host(each.destination.host, namespace)


def check_sidecars(mesh: Mesh) -> Iterator[Message]:
    """Several Sidecars of one scope."""
    seen: dict[tuple[str, tuple[tuple[str, str], ...]], Sidecar] = {}
    for document in mesh.of(Sidecar):
        selector = document.spec.workload_selector
        labels = tuple(sorted(selector.labels.items())) if selector else ()
        first = seen.setdefault((document.metadata.namespace, labels), document)
        if first is not document:
            text = (
                f"{first.metadata.name} is for the same workloads and counts alone; put its fields in there"
            )
            yield told("MX407", document, ("spec",), text)
