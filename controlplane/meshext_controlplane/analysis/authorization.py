"""AuthorizationPolicies: rules that deny more, or less, than they seem to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from meshext.config.places import Path
from meshext.policy.advice import advise_term
from meshext.policy.model import Action, Field, Policy, Rule, Term
from meshext.policy.patterns import ANY_SEGMENTS
from meshext.policy.trust import TrustDomains
from meshext_controlplane.analysis.gateway_places import find_raw_servers, leads_to_gateway
from meshext_controlplane.analysis.hosts import find_hosts
from meshext_controlplane.analysis.messages import Message
from meshext_controlplane.analysis.subjects import find_subjects, is_http, select_subjects
from meshext_controlplane.model.authorization_policy import AuthorizationPolicy
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.providers import ExtAuthzHttp

HTTP_ONLY = {
    Field.HOSTS,
    Field.METHODS,
    Field.PATHS,
    Field.REQUEST_PRINCIPALS,
    Field.HEADERS,
    Field.CLAIMS,
}
IDENTITIES = {Field.PRINCIPALS, Field.NAMESPACES, Field.SERVICE_ACCOUNTS, Field.TRUST_DOMAINS}
Placed = tuple[Path, Term]


def find_terms(policy: Policy) -> Iterator[Placed]:
    """Every term of a policy, and where it stands."""
    for number, rule in enumerate(policy.rules):
        yield from terms_of(rule, number)


def terms_of(rule: Rule, number: int) -> Iterator[Placed]:
    """Every term of a rule, and where it stands."""
    base: Path = ("spec", "rules", number)
    for place, part, groups in (("from", "source", rule.sources), ("to", "operation", rule.operations)):
        for at, terms in enumerate(groups):
            yield from (((*base, place, at, part, term.name), term) for term in terms)
    for at, term in enumerate(rule.conditions):
        yield (*base, "when", at), term


def check_values(mesh: Mesh) -> Iterator[Message]:
    """Values that match nothing, or something else than they seem to."""
    trust = TrustDomains(mesh.config.trust_domain, mesh.config.trust_domain_aliases)
    for document in mesh.of(AuthorizationPolicy):
        for path, term in find_terms(document.policy):
            code = "MX101" if term.field is Field.HOSTS else "MX112"
            for line in advise_term(term, trust):
                yield told(code, document, path, line)


def check_paths(mesh: Mesh) -> Iterator[Message]:
    """`/a/{**}` lets `/a` by, and `/a*` takes `/ab` too."""
    for document in mesh.of(AuthorizationPolicy):
        denies = document.policy.action is Action.DENY
        for path, term in find_terms(document.policy):
            if term.field is not Field.PATHS:
                continue
            for value in term.values:
                bare = value.removesuffix(f"/{ANY_SEGMENTS}").removesuffix("/*")
                if bare and bare != value and denies != term.negated and bare not in term.values:
                    text = f"{value!r} lets {bare!r} by; add {bare!r}"
                    yield told("MX104", document, path, text)
                if value.endswith("*") and value[:-1].rstrip("/") == value[:-1] and len(value) > 1:
                    longer = f"{value[:-1]}x"
                    text = f"{value!r} takes {longer!r} too; write {value[:-1]!r} and {value[:-1] + '/*'!r}"
                    yield told("MX105", document, path, text)


def check_tcp_ports(mesh: Mesh) -> Iterator[Message]:
    """Rules with fields that only HTTP has, where a selected Service has a port that is not HTTP."""
    subjects = find_subjects(mesh)
    for document in mesh.of(AuthorizationPolicy):
        policy = document.policy
        labels = dict(policy.selector)
        for subject in select_subjects(mesh, subjects, policy.namespace, labels):
            if leads_to_gateway(mesh, subject.namespace, subject.labels):
                continue  # what its ports speak there, Gateways say
            for port in subject.ports:
                target = port.target_port or port.port
                if not is_http(port):
                    where = f"{subject.name} port {port.port}"
                    yield from _tell_tcp(document, where, str(target))
                    yield from _tell_unasked(mesh, document, where, str(target))
        for where, number in find_raw_servers(mesh, policy.namespace, labels):
            yield from _tell_tcp(document, where, str(number))
            yield from _tell_unasked(mesh, document, where, str(number))


def _tell_tcp(document: AuthorizationPolicy, where: str, target: str) -> Iterator[Message]:
    policy = document.policy
    for number, rule in enumerate(policy.rules):
        placed = list(terms_of(rule, number))
        names = [term.name for _, term in placed if term.field in HTTP_ONLY]
        if not names or not _may_be_at(rule, target):
            continue
        what = ", ".join(dict.fromkeys(names))
        effect = "the rule goes" if policy.action is Action.ALLOW else "it matches without them"
        text = (
            f"{where} is not HTTP, where nobody knows {what}: {effect} there; "
            f"name the HTTP ports in to.operation.ports"
        )
        yield told("MX102", document, ("spec", "rules", number), text)


def _tell_unasked(mesh: Mesh, document: AuthorizationPolicy, where: str, target: str) -> Iterator[Message]:
    policy = document.policy
    provider = mesh.config.provider(policy.provider)
    if policy.action is not Action.CUSTOM or provider is None or policy.dry_run:
        return
    knows_http = provider.meshext_filter or isinstance(provider.ext_authz, ExtAuthzHttp)
    if knows_http and any(_may_be_at(rule, target) for rule in policy.rules):
        text = (
            f"{where} is not HTTP, and {policy.provider!r} can be asked about requests alone: what the rules "
            f"match is denied there; name the HTTP ports in to.operation.ports, or write envoyExtAuthzGrpc"
        )
        yield told("MX120", document, ("spec", "provider", "name"), text)


def _may_be_at(rule: Rule, target: str) -> bool:
    """Whether a rule can match at that port."""
    ports = [
        value
        for _, term in terms_of(rule, 0)
        if term.field is Field.PORTS and not term.negated
        for value in term.values
    ]
    return not ports or target in ports


def check_providers(mesh: Mesh) -> Iterator[Message]:
    """CUSTOM: providers that can not be asked, names that begin alike, several for one workload."""
    hosts = find_hosts(mesh)
    custom = [each for each in mesh.of(AuthorizationPolicy) if each.policy.action is Action.CUSTOM]
    for document in custom:
        name = document.policy.provider
        provider = mesh.config.provider(name)
        path = ("spec", "provider", "name")
        if provider is None:
            text = f"no provider {name!r}: what it matches is denied; add it to extensionProviders"
            yield told("MX106", document, path, text)
        elif provider.ext_authz is None and provider.meshext_filter is None:
            text = f"{name!r} is no external authorization: what it matches is denied; name another"
            yield told("MX106", document, path, text)
        elif provider.service is not None and not hosts.serves(*provider.service):
            host = ":".join(map(str, provider.service))
            text = f"the mesh has no {host} of {name!r}: what it matches is denied; add its Service"
            yield told("MX106", document, path, text)
    yield from _tell_alike(custom)


def _tell_alike(custom: Iterable[AuthorizationPolicy]) -> Iterator[Message]:
    listed = list(custom)
    names = sorted({each.policy.provider for each in listed})
    path = ("spec", "provider", "name")
    for one, other in combinations(names, 2):
        last = next(each for each in reversed(listed) if each.policy.provider == other)
        if other.startswith(one):
            text = (
                f"{other!r} begins as provider {one!r} does: Istio would ask both; rename one to move there"
            )
            yield told("MX107", last, path, text)
    for first, second in combinations(listed, 2):
        if first.policy.provider != second.policy.provider and _may_meet(first.policy, second.policy):
            text = (
                f"{first.policy.full_name} names provider {first.policy.provider!r} for the same workloads: "
                f"both are asked here, Istio denies; keep one provider to move there"
            )
            yield told("MX108", second, path, text)


def _may_meet(one: Policy, other: Policy) -> bool:
    labels = dict(one.selector)
    return one.namespace == other.namespace and all(
        labels.get(name, value) == value for name, value in other.selector
    )


def check_dry_runs(mesh: Mesh) -> Iterator[Message]:
    """Policies that only count."""
    for document in mesh.of(AuthorizationPolicy):
        if document.policy.dry_run:
            text = (
                "is in dry run and decides nothing; take the annotation istio.io/dry-run away to enforce it"
            )
            yield told("MX114", document, ("metadata", "annotations"), text)


def check_normalization(mesh: Mesh) -> Iterator[Message]:
    """Rules about paths, where requests keep paths that upstreams may read another way."""
    how = mesh.config.path_normalization.normalization
    if how == "DECODE_AND_MERGE_SLASHES":
        return
    for document in mesh.of(AuthorizationPolicy):
        for path, term in find_terms(document.policy):
            if term.field is Field.PATHS:
                text = (
                    f"paths are normalised by {how}: //x or %2fx may go by; "
                    f"write pathNormalization: {{normalization: DECODE_AND_MERGE_SLASHES}} in MeshConfig"
                )
                yield told("MX115", document, path, text)
                break


def told(code: str, document: AuthorizationPolicy, path: Path, line: str) -> Message:
    """A message of a line with its hint behind the last `; `."""
    text, _, hint = line.rpartition("; ") if "; " in line else (line, "", "correct it, or leave it out")
    return Message(code=code, key=document.key, text=text, hint=hint, path=path)
