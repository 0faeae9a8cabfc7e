"""Services and routes: hosts that nobody has, routes that nothing reaches, settings without effect."""

from __future__ import annotations

from collections.abc import Iterator

from meshext.config.places import Path
from meshext_controlplane.analysis.hosts import find_hosts
from meshext_controlplane.analysis.messages import Message
from meshext_controlplane.model.base import MeshDocument
from meshext_controlplane.model.delegation import merge_route
from meshext_controlplane.model.destination_rule import DestinationRule
from meshext_controlplane.model.gateway_names import MESH, is_bound
from meshext_controlplane.model.hosts import qualify_host
from meshext_controlplane.model.http_route import Destination, HttpMatch, HttpRoute
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.virtual_service import VirtualService

ALL = 100  # percent


# -- VirtualService ------------------------------------------------------------------------------------


def check_hosts(mesh: Mesh) -> Iterator[Message]:
    """Hosts that no service has, and hosts of several VirtualServices."""
    hosts, first = find_hosts(mesh), dict[str, VirtualService]()
    for document in mesh.of(VirtualService):
        if not is_bound(document.spec.gateways, document.metadata.namespace, MESH):
            continue  # names that are called from outside are nobody's in the mesh
        for number, name in enumerate(document.spec.hosts):
            host = qualify_host(name, document.metadata.namespace)
            path: Path = ("spec", "hosts", number)
            if hosts.find(host) is None and "*" not in host:
                yield told("MX301", document, path, f"no Service or ServiceEntry has {host}; add one")
            other = first.setdefault(host, document)
            if other is not document:
                text = f"{other.metadata.name} has {host} too and is the one; put the routes in there"
                yield told("MX307", document, path, text)


def check_destinations(mesh: Mesh) -> Iterator[Message]:
    """Destinations that do not exist: their share is answered with 503."""
    hosts = find_hosts(mesh)
    for document in mesh.of(VirtualService):
        for path, destination in find_destinations(document):
            host = qualify_host(destination.host, document.metadata.namespace)
            ports = hosts.find(host)
            if ports is None:
                text = f"no Service or ServiceEntry has {host}: requests for it fail; add one"
                yield told("MX302", document, (*path, "host"), text)
            elif destination.port is not None and destination.port.number not in ports:
                known = ", ".join(map(str, sorted(ports))) or "none"
                text = f"{host} has no port {destination.port.number}; its ports are {known}"
                yield told("MX303", document, (*path, "port", "number"), text)


def check_delegates(mesh: Mesh) -> Iterator[Message]:
    """Rules of delegates that nothing reaches, and documents without hosts that nobody delegates to."""
    documents = {document.key: document for document in mesh.of(VirtualService)}
    used = set()
    for root in documents.values():
        for at, route in enumerate(root.spec.http):
            if route.delegate is None:
                continue
            key = (root.KIND, route.delegate.namespace or root.metadata.namespace, route.delegate.name)
            used.add(key)
            for number, rule in enumerate(documents[key].spec.http if key in documents else ()):
                if merge_route(route, rule) is None:
                    where = f"http[{at}] of {root.metadata.namespace}/{root.metadata.name}"
                    text = f"{where} delegates less than it matches; match a part of that"
                    yield told("MX316", documents[key], ("spec", "http", number, "match"), text)
    for key, document in documents.items():
        if not document.spec.hosts and key not in used:
            text = "it has no hosts, and no other one delegates to it; add hosts"
            yield told("MX315", document, ("spec",), text)


def find_destinations(document: VirtualService) -> Iterator[tuple[Path, Destination]]:
    """The destinations of HTTP routes, and where they stand."""
    for at, route in enumerate(document.spec.http):
        base: Path = ("spec", "http", at)
        for number, each in enumerate(route.route):
            yield (*base, "route", number, "destination"), each.destination
        if route.mirror is not None:
            yield (*base, "mirror"), route.mirror
        for number, mirror in enumerate(route.mirrors):
            yield (*base, "mirrors", number, "destination"), mirror.destination


def check_order(mesh: Mesh) -> Iterator[Message]:
    """Routes that an earlier one keeps every request from."""
    for document in mesh.of(VirtualService):
        before: list[tuple[str, HttpMatch]] = []
        closed = ""
        for at, route in enumerate(document.spec.http):
            name = route.name or f"http[{at}]"
            path: Path = ("spec", "http", at)
            shadows = [shadow_of(match, before) for match in route.match]
            if closed:
                yield told("MX304", document, path, f"{closed} takes every request before it; move it up")
            elif shadows and all(shadows):
                yield told("MX304", document, path, f"{shadows[0]} takes its requests before it; move it up")
            if route.delegate is not None:
                continue  # what its delegate leaves goes on to later ones
            before += [(name, match) for match in route.match]
            if not closed and takes_all(route):
                closed = name


def takes_all(route: HttpRoute) -> bool:
    """Whether a route leaves nothing to later ones."""
    return not route.match or any(is_open(match) for match in route.match)


def is_open(match: HttpMatch) -> bool:
    """Whether a block holds for every request."""
    everything = match.uri is None or match.uri.prefix == "/" or match.uri.regex == ".*"
    return everything and _without_uri(match) == _without_uri(HttpMatch())


def shadow_of(match: HttpMatch, before: list[tuple[str, HttpMatch]]) -> str:
    """The name of an earlier route that takes all that the block matches; "" for none."""
    for name, other in before:
        asks_no_more = _without_uri(other) in (_without_uri(match), _without_uri(HttpMatch()))
        if asks_no_more and _covers_uri(other, match):
            return name
    return ""


def _without_uri(match: HttpMatch) -> HttpMatch:
    return match.model_copy(update={"uri": None, "name": "", "stat_prefix": "", "ignore_uri_case": False})


def _covers_uri(wide: HttpMatch, narrow: HttpMatch) -> bool:
    if wide.uri is None:
        return True
    if narrow.uri is None or wide.ignore_uri_case != narrow.ignore_uri_case:
        return False
    if wide.uri == narrow.uri:
        return True
    text = narrow.uri.exact if narrow.uri.exact is not None else narrow.uri.prefix
    return wide.uri.prefix is not None and text is not None and text.startswith(wide.uri.prefix)


def check_shares(mesh: Mesh) -> Iterator[Message]:
    """Weights that are no percentages, faults that strike nobody, prefixes that take more than is meant."""
    for document in mesh.of(VirtualService):
        for at, route in enumerate(document.spec.http):
            path: Path = ("spec", "http", at)
            total = sum(each.weight for each in route.route)
            if len(route.route) > 1 and total != ALL:
                text = (
                    f"the weights make {total}: shares are of that, not percent; write weights that make 100"
                )
                yield told("MX305", document, (*path, "route"), text)
            for kind in ("delay", "abort"):
                fault = getattr(route.fault, kind) if route.fault else None
                if fault is not None and fault.percentage is None:
                    text = "without a percentage it strikes no request; write percentage: {value: 100}"
                    yield told("MX306", document, (*path, "fault", kind), text)
            for number, match in enumerate(route.match):
                prefix = match.uri.prefix if match.uri else None
                if prefix and not prefix.endswith("/"):
                    longer, hint = f"{prefix}x", f"write exact {prefix!r} and prefix {prefix + '/'!r}"
                    text = f"{prefix!r} takes {longer!r} too; {hint}"
                    yield told("MX311", document, (*path, "match", number, "uri"), text)


def check_protocols(mesh: Mesh) -> Iterator[Message]:
    """HTTP routes for hosts of which no port speaks HTTP."""
    hosts = find_hosts(mesh)
    for document in mesh.of(VirtualService):
        for number, name in enumerate(document.spec.hosts):
            ports = hosts.find(qualify_host(name, document.metadata.namespace))
            if document.spec.http and ports and not any(ports.values()):
                text = "no port of it speaks HTTP, so http routes do nothing; write appProtocol: http there"
                yield told("MX314", document, ("spec", "hosts", number), text)


# -- DestinationRule -----------------------------------------------------------------------------------


def check_rules(mesh: Mesh) -> Iterator[Message]:
    """Rules for hosts that nobody has, several for one host, settings that do nothing alone."""
    hosts, first = find_hosts(mesh), dict[tuple[str, str, object], DestinationRule]()
    for document in mesh.of(DestinationRule):
        namespace = document.metadata.namespace
        host = qualify_host(document.spec.host, namespace)
        if "*" not in host and hosts.find(host) is None:
            text = f"no Service or ServiceEntry has {host}; add one"
            yield told("MX308", document, ("spec", "host"), text)
        selector = document.spec.workload_selector
        selected = None if selector is None else frozenset(selector.match_labels.items())
        other = first.setdefault((namespace, host, selected), document)
        if other is not document and document.spec.traffic_policy and other.spec.traffic_policy:
            text = f"the trafficPolicy of {other.metadata.name} for {host} counts alone; put it in there"
            yield told("MX313", document, ("spec", "trafficPolicy"), text)
        policy = document.spec.traffic_policy
        balancer = policy.load_balancer if policy else None
        locality = balancer.locality_lb_setting if balancer else None
        if (
            policy
            and locality
            and locality.enabled
            and not locality.distribute
            and not policy.outlier_detection
        ):
            text = "failover needs outlierDetection, without it nobody is found ill; add it"
            yield told("MX310", document, ("spec", "trafficPolicy", "loadBalancer"), text)


def told(code: str, document: MeshDocument, path: Path, line: str) -> Message:
    """A message of a line with its hint behind the last `; `."""
    text, _, hint = line.rpartition("; ")
    return Message(code=code, key=document.key, text=text, hint=hint, path=path)
