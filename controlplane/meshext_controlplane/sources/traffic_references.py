"""What traffic documents say about each other: subsets that no rule has, names that lead back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from meshext.config.places import Path
from meshext_controlplane.model.destination_rule import DestinationRule
from meshext_controlplane.model.exporting import is_exported
from meshext_controlplane.model.hosts import covers, host_of, qualify_host
from meshext_controlplane.model.http_route import Destination, HttpRoute
from meshext_controlplane.model.service import Service
from meshext_controlplane.model.virtual_service import VirtualService
from meshext_controlplane.sources.places import Broken, Key, Placed


class Rules:
    """DestinationRules by their hosts, so that a host's are found without a look at all."""

    def __init__(self, documents: Iterable[Placed]) -> None:
        self._exact: dict[str, list[tuple[Key, DestinationRule]]] = {}
        self._wild: list[tuple[str, Key, DestinationRule]] = []
        for placed in documents:
            rule = placed.document
            if isinstance(rule, DestinationRule):
                host = qualify_host(rule.spec.host, rule.metadata.namespace)
                if "*" in host:
                    self._wild.append((host, placed.key, rule))
                else:
                    self._exact.setdefault(host, []).append((placed.key, rule))

    def of(self, host: str) -> list[tuple[Key, DestinationRule]]:
        """The rules for a host, those for a domain above it too."""
        wild = [(key, rule) for pattern, key, rule in self._wild if covers(pattern, host)]
        return [*self._exact.get(host, ()), *wild]


def check_subsets(documents: Mapping[Key, Placed], before: Mapping[Key, Placed]) -> Iterator[Broken]:
    """A subset that a route names is one of a DestinationRule for that host; Envoy would answer 503."""
    rules, earlier = Rules(documents.values()), Rules(before.values())
    for placed in documents.values():
        if not isinstance(placed.document, VirtualService):
            continue
        for path, destination in find_destinations(placed.document):
            host = qualify_host(destination.host, placed.document.metadata.namespace)
            now = rules.of(host) if destination.subset else []
            subsets = [each.name for _, rule in now for each in rule.spec.subsets]
            if destination.subset and destination.subset not in subsets:
                known = ", ".join(dict.fromkeys(subsets))
                hint = f"write one of {known}" if known else "add a DestinationRule that has it"
                text = f"no DestinationRule for {host} has a subset {destination.subset!r}; {hint}"
                refers_to = tuple(dict.fromkeys(key for key, _ in [*now, *earlier.of(host)]))
                yield Broken(placed=placed, path=(*path, "subset"), text=text, refers_to=refers_to)


def find_destinations(document: VirtualService) -> Iterator[tuple[Path, Destination]]:
    """Every destination of a VirtualService, and where it is written."""
    spec = document.spec
    for at, route in enumerate(spec.http):
        yield from _of_http(("spec", "http", at), route)
    shares = [("tls", [each.route for each in spec.tls]), ("tcp", [each.route for each in spec.tcp])]
    for kind, routes in shares:
        for at, destinations in enumerate(routes):
            for number, each in enumerate(destinations):
                yield ("spec", kind, at, "route", number, "destination"), each.destination


def _of_http(path: Path, route: HttpRoute) -> Iterator[tuple[Path, Destination]]:
    for number, each in enumerate(route.route):
        yield (*path, "route", number, "destination"), each.destination
    if route.mirror is not None:
        yield (*path, "mirror"), route.mirror
    for number, mirror in enumerate(route.mirrors):
        yield (*path, "mirrors", number, "destination"), mirror.destination


def check_external_names(documents: Mapping[Key, Placed], _before: Mapping[Key, Placed]) -> Iterator[Broken]:
    """`externalName` of a Service leads out in the end, and not back to it."""
    named = {
        host_of(placed.document.metadata.name, placed.document.metadata.namespace): placed
        for placed in documents.values()
        if isinstance(placed.document, Service)
    }
    for host, placed in named.items():
        way = list(follow(host, named))
        if way and way[-1] == host:
            shown = " -> ".join([host, *way])
            text = f"leads back to itself: {shown}; write a name outside of the mesh, or a selector"
            refers_to = tuple(named[each].key for each in way if each in named)
            yield Broken(placed=placed, path=("spec", "externalName"), text=text, refers_to=refers_to)


def follow(host: str, named: Mapping[str, Placed]) -> Iterator[str]:
    """The hosts that a Service's name leads to, until one is met again."""
    seen: set[str] = set()
    while host in named and host not in seen:
        seen.add(host)
        document = named[host].document
        host = document.spec.external_name.rstrip(".") if isinstance(document, Service) else ""
        if host:
            yield host


def check_delegates(documents: Mapping[Key, Placed], _before: Mapping[Key, Placed]) -> Iterator[Broken]:
    """A rule delegates to a VirtualService that is there, has no hosts, and is exported to it."""
    for placed in documents.values():
        root = placed.document
        if not isinstance(root, VirtualService):
            continue
        own = root.metadata.namespace
        for at, rule in enumerate(root.spec.http):
            if rule.delegate is None:
                continue
            namespace = rule.delegate.namespace or own
            key = (VirtualService.KIND, namespace, rule.delegate.name)
            found = documents[key].document if key in documents else None
            if text := _why_not_delegate(found, own, f"{namespace}/{rule.delegate.name}"):
                path = ("spec", "http", at, "delegate")
                yield Broken(placed=placed, path=path, text=text, refers_to=(key,))


def _why_not_delegate(found: object, own: str, name: str) -> str:
    if not isinstance(found, VirtualService):
        return f"there is no VirtualService {name}; add it, without hosts"
    if found.spec.hosts:
        return f"{name} has hosts of its own; remove them there, or write its routes here"
    if not is_exported(found.spec.export_to, found.metadata.namespace, own):
        return f"{name} is not exported to {own}; add it to exportTo there"
    return ""


CHECKS = (check_subsets, check_external_names, check_delegates)
