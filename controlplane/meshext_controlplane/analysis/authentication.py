"""PeerAuthentication and RequestAuthentication: what does not count, or does not ask for what it seems to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from meshext.policy.model import Action, Field, Policy
from meshext_controlplane.analysis.authorization import IDENTITIES, find_terms
from meshext_controlplane.analysis.messages import Message
from meshext_controlplane.analysis.subjects import find_subjects, select_subjects
from meshext_controlplane.model.authorization_policy import AuthorizationPolicy
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.peer_authentication import PeerAuthentication
from meshext_controlplane.model.request_authentication import RequestAuthentication
from meshext_controlplane.model.selector import Selector

TOKENS = {Field.REQUEST_PRINCIPALS, Field.CLAIMS}


def check_scopes(mesh: Mesh) -> Iterator[Message]:
    """Several PeerAuthentications of one scope."""
    seen: dict[tuple[str, tuple[tuple[str, str], ...]], PeerAuthentication] = {}
    for document in mesh.of(PeerAuthentication):
        scope = document.metadata.namespace, tuple(sorted(labels_of(document.spec.selector).items()))
        first = seen.setdefault(scope, document)
        if first is not document:
            yield Message(
                code="MX109",
                key=document.key,
                text=f"{first.metadata.name} is for the same workloads and counts alone",
                hint="leave one of them out",
                path=("spec",),
            )


def check_ports(mesh: Mesh) -> Iterator[Message]:
    """Ports of portLevelMtls that are a Service's and not the workload's."""
    subjects = find_subjects(mesh)
    for document in mesh.of(PeerAuthentication):
        labels = labels_of(document.spec.selector)
        chosen = list(select_subjects(mesh, subjects, document.metadata.namespace, labels))
        targets = {str(port.target_port or port.port) for each in chosen for port in each.ports}
        for number in document.spec.port_level_mtls or {}:
            for port in (port for each in chosen for port in each.ports):
                if str(port.port) == number and number not in targets:
                    yield Message(
                        code="MX110",
                        key=document.key,
                        text=f"{number} is the Service's port, its workloads listen on {port.target_port}",
                        hint=f'write "{port.target_port}"',
                        path=("spec", "portLevelMtls", number),
                    )


def check_tokens(mesh: Mesh) -> Iterator[Message]:
    """Tokens that are checked where they come, and asked for by nobody."""
    policies = [each.policy for each in mesh.of(AuthorizationPolicy)]
    for document in mesh.of(RequestAuthentication):
        labels = labels_of(document.spec.selector)
        own = document.metadata.namespace
        scopes = (own, mesh.config.root_namespace)
        if document.spec.jwt_rules and not any(
            asks_for_token(each)
            and (each.namespace in scopes or own == mesh.config.root_namespace)
            and meets(dict(each.selector), labels)
            for each in policies
        ):
            yield Message(
                code="MX103",
                key=document.key,
                text="a request without a token passes, as no AuthorizationPolicy asks for one there",
                hint='add one with from: [{source: {requestPrincipals: ["*"]}}]',
                path=("spec",),
            )


def asks_for_token(policy: Policy) -> bool:
    """Whether some request without a token is refused by it."""
    terms = [term for _, term in find_terms(policy)]
    if policy.dry_run:
        return False
    if policy.action is Action.ALLOW:
        return any(term.field in TOKENS and not term.negated for term in terms)
    return policy.action is Action.DENY and any(term.field in TOKENS and term.negated for term in terms)


def check_fetching(mesh: Mesh) -> Iterator[Message]:
    """Keys that anybody between could replace."""
    for document in mesh.of(RequestAuthentication):
        for number, rule in enumerate(document.spec.jwt_rules):
            parts = urlsplit(rule.jwks_uri or "")
            host = parts.hostname or ""
            if parts.scheme == "http" and not host.endswith(".svc.cluster.local"):
                yield Message(
                    code="MX116",
                    key=document.key,
                    text=f"keys of {host} come over plain http, where anybody on the way can replace them",
                    hint="write https",
                    path=("spec", "jwtRules", number, "jwksUri"),
                )


def check_identities(mesh: Mesh) -> Iterator[Message]:
    """Rules about who calls, where callers need not show who they are."""
    disabled = [
        (document, labels_of(document.spec.selector))
        for document in mesh.of(PeerAuthentication)
        if document.spec.mtls.mode == "DISABLE"
    ]
    for policy in mesh.of(AuthorizationPolicy):
        path = next((path for path, term in find_terms(policy.policy) if term.field in IDENTITIES), None)
        namespaces = (policy.policy.namespace, mesh.config.root_namespace)
        for document, labels in disabled:
            here = document.metadata.namespace in namespaces
            if path is not None and here and meets(dict(policy.policy.selector), labels):
                yield Message(
                    code="MX113",
                    key=policy.key,
                    text=f"PeerAuthentication {document.metadata.name} says DISABLE: nobody has an identity",
                    hint="write mode: STRICT there, or leave the identities out",
                    path=path,
                )
                break


def labels_of(selector: Selector | None) -> Mapping[str, str]:
    """What a selector asks for; nothing where there is none."""
    return selector.match_labels if selector is not None else {}


def meets(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether one workload may have both."""
    return all(one.get(name, value) == value for name, value in other.items())
