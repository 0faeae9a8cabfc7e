"""Istio's AuthorizationPolicy without Istio: the documents as they are, decided as Envoy's RBAC decides.

Identity is the certificate's SPIFFE ID alone (`request.peer.principal`); there is no fall-back to DNS names
or to the subject. Everything else is decided on the request as Envoy normalised it.
"""

from __future__ import annotations

import logging

from meshext import Counter, Filter, Needs, Request, Respond
from meshext.policy.advice import advise
from meshext.policy.compiled import ReadyRule
from meshext.policy.decide import Decider, Verdict
from meshext.policy.facts import Facts
from meshext.policy.model import Action, Field, Policy, Term
from meshext.policy.settings import Settings

JWT = "envoy.filters.http.jwt_authn"
ADDRESS = "destination.address"
PORT = "destination.port"
SNI = "connection.requested_server_name"

ATTRIBUTES = {Field.DESTINATION_IP: ADDRESS, Field.PORTS: PORT, Field.SNI: SNI}
"""What Envoy is asked for where a policy looks at it."""

CLAIMS = frozenset({Field.CLAIMS, Field.REQUEST_PRINCIPALS})

DENIED = "RBAC: access denied"
"""The body of Envoy's own RBAC filter."""

log = logging.getLogger(__name__)


class AuthorizationPolicy(Filter):
    """Allows and denies requests by Istio AuthorizationPolicy documents.

    `--config policy.yaml` is one document or many; a mapping with `policies` says more (`namespace`,
    `labels`, `trust_domain`, `aliases`, `root_namespace`, `claims_key`). A refused request gets 403; the rule
    that refused it is in the details of the access log. AUDIT is logged; what policies in dry run say is in
    metadata and metrics.

    Configuration:
        documents alone, as `kubectl apply` takes them, or a mapping:

        policies        the documents in a list, required
        namespace       the workload's; by default the one that the documents name
        labels          the workload's; by default those of the one selector there is
        trust_domain    default cluster.local
        aliases         other names of the trust domain, default []
        root_namespace  whose policies are for all namespaces, default istio-system
        claims_key      under which key jwt_authn puts claims, default payload

    Example:
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: orders, namespace: shop}
        spec:
          action: ALLOW
          rules:
            - to: [{operation: {methods: [GET], paths: ["/", "/hello", "/orders"]}}]
            - from: [{source: {principals: ["cluster.local/ns/web/sa/frontend"]}}]
              to: [{operation: {methods: [POST], paths: ["/orders"]}}]

    Costs:
        10 to 12 us of CPU for the decision, with 10 rules as with 1,000 (`python -m e2e.bench.policies`);
        10,000 rules load in under two seconds. Compiled (`--mode wasm`) 300 rules load in 0.1 s; a callback
        has no memory for 1,000, and they are refused (MemoryError).
    """

    Config = Settings

    decisions = Counter(
        "authorization_decisions_total",
        labels=("verdict", "policy"),
        help="Requests that were allowed or denied, by the policy that decided; none: no policy matched.",
    )
    audits = Counter(
        "authorization_audits_total", labels=("policy",), help="Requests that an AUDIT policy matched."
    )
    dry_runs = Counter(
        "authorization_dry_runs_total",
        labels=("verdict", "policy"),
        help="What would have been decided with the policies in dry run.",
    )

    @classmethod
    def needs(cls, config: Settings) -> Needs:
        """Attributes and metadata only where a policy looks at them."""
        terms = find_terms(config.policies)
        used = {term.field for term in terms}
        namespaces = [JWT] if used & CLAIMS else []
        namespaces += [term.key[0] for term in terms if term.field is Field.METADATA]
        attributes = [name for field, name in ATTRIBUTES.items() if field in used]
        return (
            super().needs(config).adding(attributes=tuple(attributes), metadata_namespaces=tuple(namespaces))
        )

    def __init__(self, config: Settings) -> None:
        self.config = config
        for policy in config.policies:
            if policy.action is Action.CUSTOM:
                raise ValueError(
                    f"{policy.full_name}: CUSTOM asks another service, which a filter can not do"
                )
        self.decider = Decider(config.policies, config.workload.trust)
        terms = find_terms(config.policies)
        used = {term.field for term in terms}
        self.by_claims = bool(used & CLAIMS)
        self.by_address = Field.DESTINATION_IP in used
        self.by_port = Field.PORTS in used
        self.by_sni = Field.SNI in used
        self.namespaces = sorted({term.key[0] for term in terms if term.field is Field.METADATA})
        self.dry = bool(self.decider.dry_deny) or bool(self.decider.dry_allow)
        self.audit = bool(self.decider.audit)
        for line in advise(config.policies, config.workload.trust):
            log.warning("%s", line)

    def on_request(self, request: Request) -> Respond | None:
        """DENY, then ALLOW; AUDIT and dry runs are told and change nothing."""
        facts = self.read_facts(request)
        verdict = self.decider.decide(facts)
        if self.audit:
            self.tell_audit(request, facts)
        if self.dry:
            self.tell_dry_run(request, facts, verdict)
        policy = "none" if verdict.rule is None else verdict.rule.policy.full_name
        self.decisions.inc(verdict="allowed" if verdict.allowed else "denied", policy=policy)
        if verdict.allowed:
            return None
        return Respond(403, body=DENIED, details=tell_details(verdict))

    def read_facts(self, request: Request) -> Facts:
        """What policies look at; what none of them does is not asked for."""
        peer = request.peer
        facts = Facts(
            method=request.method,
            target=request.target,
            host=request.host,
            scheme=request.scheme,
            headers=request.headers,
            principal=peer.principal,
            peer_address=peer.address,
            client_address=request.client_address,
        )
        if self.by_claims:
            facts.claims = request.metadata[JWT].get(self.config.claims_key)
        if self.by_address:
            facts.destination_address = without_port(as_text(request.attribute(ADDRESS)))
        if self.by_port:
            port = request.attribute(PORT)
            facts.destination_port = port if isinstance(port, int) else None
        if self.by_sni:
            facts.sni = as_text(request.attribute(SNI))
        if self.namespaces:
            facts.metadata = {name: request.metadata[name] for name in self.namespaces}
        return facts

    def tell_audit(self, request: Request, facts: Facts) -> None:
        """One line and one count for each AUDIT rule that matches."""
        rules = self.decider.audited(facts)
        for rule in rules:
            self.audits.inc(policy=rule.policy.full_name)
            who = facts.principal or facts.peer_address
            log.info("audit %s: %s %s by %s", rule_id(rule), facts.method, facts.path, who)
        if rules:
            request.set_metadata("audit", [rule_id(rule) for rule in rules])

    def tell_dry_run(self, request: Request, facts: Facts, verdict: Verdict) -> None:
        """What the policies in dry run would have said."""
        found = self.decider.dry_run(facts, verdict)
        if found is None:
            return
        told = "denied" if found.refuses else "allowed"
        self.dry_runs.inc(verdict=told, policy="none" if found.rule is None else found.rule.policy.full_name)
        request.set_metadata("dry_run", told)
        request.set_metadata("dry_run_policy", "none" if found.rule is None else rule_id(found.rule))


def find_terms(policies: tuple[Policy, ...]) -> list[Term]:
    """Every term of every rule."""
    return [
        term
        for policy in policies
        for rule in policy.rules
        for terms in (*rule.sources, *rule.operations, rule.conditions)
        for term in terms
    ]


def rule_id(rule: ReadyRule) -> str:
    """The rule's name as Istio gives it to Envoy."""
    return f"ns[{rule.policy.namespace}]-policy[{rule.policy.name}]-rule[{rule.number}]"


def tell_details(verdict: Verdict) -> str:
    """Envoy's own words for a refusal by RBAC, for the access log."""
    return f"rbac_access_denied_matched_policy[{'none' if verdict.rule is None else rule_id(verdict.rule)}]"


def without_port(address: str) -> str:
    """The IP address of `10.0.0.1:80` or `[2001:db8::1]:80`, as Envoy writes addresses."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def as_text(value: object) -> str:
    """An attribute as text, "" where Envoy has none."""
    return value if isinstance(value, str) else ""
