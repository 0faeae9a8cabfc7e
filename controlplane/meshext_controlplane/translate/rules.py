"""Which DestinationRule a client obeys for a host, and what it says about a port and a subset.

A client looks in its own namespace, then in the service's, then in the root namespace; in each the rule for
the most specific host. Rules of one namespace for the same host are one: all subsets, the first policy.

A rule that selects workloads is for those of its own namespace; there it comes before one for all, from which
it takes the subsets, and the policy, that it does not say itself. Others go on as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from meshext_controlplane.model.destination_rule import DestinationRule, RulePolicy, Subset
from meshext_controlplane.model.exporting import is_exported
from meshext_controlplane.model.hosts import qualify_host
from meshext_controlplane.model.traffic_policy import PortPolicy, ProxyProtocol, RetryBudget

Hosts = Mapping[str, tuple[DestinationRule, ...]]

Selected = frozenset[tuple[str, str]]
"""Namespace and name of the rules that select a client."""

NONE: Selected = frozenset()


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds for one port of one subset."""

    policy: PortPolicy = field(default_factory=PortPolicy)
    retry_budget: RetryBudget | None = None
    proxy_protocol: ProxyProtocol | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """The rule for a host as one client sees it: one document, or several that are one. By identity."""

    policy: RulePolicy | None
    subsets: Mapping[str, Subset]

    def effective(self, port: int, subset: str) -> Effective:
        """What holds for a port of a subset ("": all endpoints).

        A port's settings replace the blocks of the policy that they stand in, and what they leave out is as
        if nobody had said it; a subset replaces block by block what holds for the host.
        """
        above = self.policy or RulePolicy()
        policy, budget, proxied = (
            _of_port(PortPolicy(), above, port),
            above.retry_budget,
            above.proxy_protocol,
        )
        own = self.subsets[subset].traffic_policy if subset in self.subsets else None
        if own is not None:
            policy, budget = _of_port(policy, own, port), own.retry_budget or budget
            proxied = own.proxy_protocol or proxied
        return Effective(policy, budget, proxied)


NO_RULE = Rule(None, {})


def _of_port(above: PortPolicy, policy: RulePolicy, port: int) -> PortPolicy:
    for settings in policy.port_level_settings:
        if settings.port.number == port:
            return settings
    return PortPolicy(
        load_balancer=policy.load_balancer or above.load_balancer,
        connection_pool=policy.connection_pool or above.connection_pool,
        outlier_detection=policy.outlier_detection or above.outlier_detection,
        tls=policy.tls or above.tls,
    )


class Rules:
    """All DestinationRules of a mesh."""

    def __init__(self, documents: Iterable[DestinationRule], root_namespace: str) -> None:
        self._root = root_namespace
        self._documents = tuple(documents)
        self._by_namespace = _sort(each for each in self._documents if each.spec.workload_selector is None)
        self._selecting = tuple(each for each in self._documents if each.spec.workload_selector is not None)
        self._selected: dict[tuple[str, Selected], Hosts] = {}
        self._merged: dict[tuple[int, ...], Rule] = {}

    @property
    def ask_places(self) -> bool:
        """Whether some rule makes a difference between clients by where they are."""
        return any(policy.outlier_detection or policy.load_balancer for policy in self._all_policies())

    @property
    def place_keys(self) -> tuple[str, ...]:
        """The labels of clients that failover compares."""
        balancers = (policy.load_balancer for policy in self._all_policies())
        settings = (each.locality_lb_setting for each in balancers if each)
        keys = {key.partition("=")[0] for each in settings if each for key in each.failover_priority}
        return tuple(sorted(keys))

    def _all_policies(self) -> Iterator[PortPolicy]:
        for spec in (document.spec for document in self._documents):
            for policy in (spec.traffic_policy, *(subset.traffic_policy for subset in spec.subsets)):
                if policy is not None:
                    yield policy
                    yield from policy.port_level_settings

    def selecting(self, namespace: str, labels: Mapping[str, str]) -> Selected:
        """The rules that select a client by its labels."""
        if not self._selecting:
            return NONE
        own = (each for each in self._selecting if each.metadata.namespace == namespace)
        return frozenset(
            (namespace, each.metadata.name)
            for each in own
            if each.spec.workload_selector is not None and each.spec.workload_selector.selects(labels)
        )

    def find_special(self, services: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
        """The namespaces whose clients obey other rules than clients of a namespace without any.

        `services` are the namespaces of services by host. A rule beside its service, for everybody, makes
        none special: its own namespace finds it first, and all others find it next.
        """
        yield from {each.metadata.namespace for each in self._selecting}
        for namespace, hosts in self._by_namespace.items():
            for host in hosts:
                matched = [host] if "*" not in host else [each for each in services if _covers(host, each)]
                if any(
                    self.find(each, owner, namespace) is not self.find(each, owner, "")
                    for each in matched
                    for owner in services.get(each, ())
                ):
                    yield namespace
                    break

    def find(self, host: str, namespace: str, client: str, selected: Selected = NONE) -> Rule:
        """The rule that a client in a namespace obeys for a host of a service's namespace."""
        documents = self.documents(host, namespace, client, selected)
        return self._merge(documents) if documents else NO_RULE

    def documents(
        self, host: str, namespace: str, client: str, selected: Selected = NONE
    ) -> tuple[DestinationRule, ...]:
        """The documents that this rule is made of."""
        places = dict.fromkeys((client if client != self._root else "", namespace, self._root))
        for place in places:
            documents = _most_specific(self._hosts(place, selected if place == client else NONE), host)
            seen = tuple(
                each
                for each in documents
                if place == client or is_exported(each.spec.export_to, place, client)
            )
            if seen:
                return seen
        return ()

    def _hosts(self, namespace: str, selected: Selected) -> Hosts:
        """What holds in a namespace for whom these rules select: they come first."""
        wide = self._by_namespace.get(namespace, {})
        if not selected:
            return wide
        if (hosts := self._selected.get((namespace, selected))) is None:
            first = _sort(each for each in self._selecting if each.key[1:] in selected).get(namespace, {})
            hosts = {host: (*first.get(host, ()), *wide.get(host, ())) for host in {**first, **wide}}
            self._selected[namespace, selected] = hosts
        return hosts

    def _merge(self, documents: tuple[DestinationRule, ...]) -> Rule:
        key = tuple(map(id, documents))
        if (rule := self._merged.get(key)) is None:
            subsets: dict[str, Subset] = {}
            for subset in (each for document in documents for each in document.spec.subsets):
                subsets.setdefault(subset.name, subset)
            policies = (document.spec.traffic_policy for document in documents)
            policy = next((each for each in policies if each is not None), None)
            rule = self._merged[key] = Rule(policy, subsets)
        return rule


def _sort(documents: Iterable[DestinationRule]) -> Mapping[str, Hosts]:
    """By namespace and host."""
    found: dict[str, dict[str, tuple[DestinationRule, ...]]] = {}
    for document in documents:
        namespace = document.metadata.namespace
        hosts, host = found.setdefault(namespace, {}), qualify_host(document.spec.host, namespace)
        hosts[host] = (*hosts.get(host, ()), document)
    return found


def _covers(pattern: str, host: str) -> bool:
    return pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _most_specific(hosts: Hosts, host: str) -> tuple[DestinationRule, ...]:
    if exact := hosts.get(host):
        return exact
    rest = host.removeprefix("*.") if host.startswith("*.") else host
    while "." in rest:
        rest = rest.partition(".")[2]
        if wild := hosts.get(f"*.{rest}"):
            return wild
    return hosts.get("*", ())
