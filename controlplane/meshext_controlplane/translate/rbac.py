"""AuthorizationPolicy -> Envoy's RBAC filters as Istio writes them (`envoy.extensions.filters.http.rbac.v3`).

One filter for each action, in the order AUDIT, DENY, ALLOW; policies in dry run are its shadow rules. A rule
becomes one RBAC policy: one `and_ids` for each source, one `and_rules` for each operation, `any` where there
is none. On a TCP filter chain what only HTTP has is left out: an ALLOW rule with such a field goes as a
whole, of a DENY or AUDIT rule only the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshext.policy.building import is_listed, qualify_account
from meshext.policy.model import Action, Field, Policy, Rule, Term
from meshext.policy.patterns import ANY_SEGMENTS, ONE_SEGMENT, SPIFFE, is_template
from meshext.policy.trust import TrustDomains
from meshext_controlplane.translate.matchers import (
    PRESENT,
    Data,
    cidr_range,
    exact_matcher,
    header_matcher,
    list_or_text,
    metadata_matcher,
    quote,
    regex_matcher,
    string_matcher,
)

HTTP_FILTER = "envoy.filters.http.rbac"
TCP_FILTER = "envoy.filters.network.rbac"
HTTP_TYPE = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"
TCP_TYPE = "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC"
TEMPLATE_TYPE = "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"
JWT_FILTER = "envoy.filters.http.jwt_authn"
PAYLOAD = "payload"

ORDER = (Action.AUDIT, Action.DENY, Action.ALLOW)
RBAC_ACTIONS = {Action.AUDIT: "LOG", Action.DENY: "DENY", Action.ALLOW: "ALLOW"}
SHADOW_ALLOW = "istio_dry_run_allow_"
SHADOW_DENY = "istio_dry_run_deny_"

PRINCIPAL_ORDER = (
    Field.PRINCIPALS,
    Field.REQUEST_PRINCIPALS,
    Field.SERVICE_ACCOUNTS,
    Field.TRUST_DOMAINS,
    Field.NAMESPACES,
    Field.REMOTE_IP_BLOCKS,
    Field.IP_BLOCKS,
)
PERMISSION_ORDER = (Field.HOSTS, Field.METHODS, Field.PATHS, Field.PORTS)
PERMISSION_CONDITIONS = {Field.DESTINATION_IP, Field.PORTS, Field.SNI, Field.METADATA}
HTTP_ONLY = {
    Field.HOSTS,
    Field.METHODS,
    Field.PATHS,
    Field.REQUEST_PRINCIPALS,
    Field.HEADERS,
    Field.CLAIMS,
}

ANY: Data = {"any": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the filters are for: `tcp` a filter chain without HTTP; and the names of the trust domain."""

    trust: TrustDomains
    tcp: bool = False


def emit_rbac_filters(policies: Sequence[Policy], target: Target) -> list[Data]:
    """The filters for policies that apply to one workload (`select_policies`): `HttpFilter` or `Filter`."""
    filters: list[Data] = []
    for action in ORDER:
        chosen = [policy for policy in policies if policy.action is action]
        if chosen:
            filters.append(emit_filter(action, chosen, target))
    return filters


def emit_filter(action: Action, policies: Sequence[Policy], target: Target) -> Data:
    """The filter of one action."""
    enforced = [policy for policy in policies if not policy.dry_run]
    shadow = [policy for policy in policies if policy.dry_run]
    config: Data = {"@type": TCP_TYPE if target.tcp else HTTP_TYPE}
    if enforced:
        config["rules"] = emit_rules(action, enforced, target)
    if shadow:
        config["shadow_rules"] = emit_rules(action, shadow, target)
    deny = action is Action.DENY and shadow
    config["shadow_rules_stat_prefix"] = SHADOW_DENY if deny else SHADOW_ALLOW
    if target.tcp:
        config["stat_prefix"] = "tcp."
    return {"name": TCP_FILTER if target.tcp else HTTP_FILTER, "typed_config": config}


def emit_rules(action: Action, policies: Iterable[Policy], target: Target) -> Data:
    """`envoy.config.rbac.v3.RBAC`: its policies by name, in order."""
    named: dict[str, Data] = {}
    for policy in policies:
        if not policy.rules:
            named[name_rule(policy, 0)] = {
                "permissions": [{"not_rule": ANY}],
                "principals": [{"not_id": ANY}],
            }
        for number, rule in enumerate(policy.rules):
            emitted = emit_rule(policy, rule, target)
            if emitted is not None:
                named[name_rule(policy, number)] = emitted
    return {"action": RBAC_ACTIONS[action], "policies": named}


def name_rule(policy: Policy, number: int) -> str:
    """Istio's name for a rule."""
    return f"ns[{policy.namespace}]-policy[{policy.name}]-rule[{number}]"


def emit_rule(policy: Policy, rule: Rule, target: Target) -> Data | None:
    """`envoy.config.rbac.v3.Policy` of a rule; None where it has no meaning without HTTP."""
    if target.tcp:
        if policy.action is Action.ALLOW and any(term.field in HTTP_ONLY for term in all_terms(rule)):
            return None
        rule = without_http(rule)
    permissions = [term for term in rule.conditions if term.field in PERMISSION_CONDITIONS]
    principals = [term for term in rule.conditions if term.field not in PERMISSION_CONDITIONS]
    return {
        "permissions": [
            join(
                "and_rules",
                "rules",
                [emit_permission(term) for term in [*ordered(terms, PERMISSION_ORDER), *permissions]],
            )
            for terms in rule.operations or ((),)
        ],
        "principals": [
            join(
                "and_ids",
                "ids",
                [
                    emit_principal(term, policy, target.trust)
                    for term in [*ordered(terms, PRINCIPAL_ORDER), *principals]
                ],
            )
            for terms in rule.sources or ((),)
        ],
    }


def all_terms(rule: Rule) -> list[Term]:
    """Every term of a rule."""
    return [term for terms in (*rule.sources, *rule.operations, rule.conditions) for term in terms]


def without_http(rule: Rule) -> Rule:
    """The rule less what only HTTP has."""

    def kept(terms: Iterable[Term]) -> tuple[Term, ...]:
        return tuple(term for term in terms if term.field not in HTTP_ONLY)

    return Rule(
        tuple(kept(terms) for terms in rule.sources),
        tuple(kept(terms) for terms in rule.operations),
        kept(rule.conditions),
    )


def ordered(terms: Iterable[Term], order: Sequence[Field]) -> list[Term]:
    """Terms in Istio's order; a field comes before its negated twin."""
    return sorted(terms, key=lambda term: (order.index(term.field), term.negated))


def join(kind: str, member: str, parts: Sequence[Data]) -> Data:
    """An `and` of parts, `any` where there are none."""
    return {kind: {member: list(parts)}} if parts else ANY


def emit_permission(term: Term) -> Data:
    """`Permission` of a term."""
    return negate(
        {"or_rules": {"rules": [permission_of(term, value) for value in term.values]}}, term, "not_rule"
    )


def permission_of(term: Term, value: str) -> Data:
    """`Permission` of one value."""
    match term.field:
        case Field.HOSTS:
            return {"header": header_matcher(":authority", value, ignore_case=True)}
        case Field.METHODS:
            return {"header": header_matcher(":method", value)}
        case Field.PATHS if is_template(value):
            return {"uri_template": template_matcher(value)}
        case Field.PATHS:
            return {"url_path": {"path": string_matcher(value)}}
        case Field.PORTS:
            return {"destination_port": int(value)}
        case Field.DESTINATION_IP:
            return {"destination_ip": cidr_range(value)}
        case Field.SNI:
            return {"requested_server_name": string_matcher(value)}
        case Field.METADATA:
            return {"metadata": metadata_matcher(term.key[0], term.key[1:], metadata_value(value))}
    raise ValueError(f"{term.name} is no permission")


def template_matcher(path: str) -> Data:
    """The extension that matches a path template, in Envoy's own operators."""
    template = path.replace(ANY_SEGMENTS, "**").replace(ONE_SEGMENT, "*")
    return {"name": "uri-template", "typed_config": {"@type": TEMPLATE_TYPE, "path_template": template}}


def metadata_value(value: str) -> Data:
    """`ValueMatcher` of text, or of text in a list where it is `[value]`."""
    if is_listed(value):
        return {"list_match": {"one_of": {"string_match": string_matcher(value.strip("[]"))}}}
    return {"string_match": string_matcher(value)}


def emit_principal(term: Term, policy: Policy, trust: TrustDomains) -> Data:
    """`Principal` of a term."""
    if term.field is Field.CLAIMS:
        value = list_or_text([string_matcher(value) for value in term.values])
        claim: Data = {"metadata": metadata_matcher(JWT_FILTER, [PAYLOAD, *term.key], value)}
        return negate(claim, term, "not_id")
    values = term.values
    if term.field is Field.PRINCIPALS:
        values = trust.expand_principals(values)
    elif term.field is Field.TRUST_DOMAINS:
        values = trust.expand_domains(values)
    ids = [principal_of(term, value, policy) for value in values]
    return negate({"or_ids": {"ids": ids}}, term, "not_id")


def principal_of(term: Term, value: str, policy: Policy) -> Data:
    """`Principal` of one value."""
    match term.field:
        case Field.IP_BLOCKS:
            return {"direct_remote_ip": cidr_range(value)}
        case Field.REMOTE_IP_BLOCKS:
            return {"remote_ip": cidr_range(value)}
        case Field.HEADERS:
            return {"header": header_matcher(term.key[0], value)}
        case Field.REQUEST_PRINCIPALS:
            return request_principal(value)
        case _:
            return {"authenticated": {"principal_name": identity_matcher(term, value, policy)}}


def identity_matcher(term: Term, value: str, policy: Policy) -> Data:
    """`StringMatcher` of the client's SPIFFE URI."""
    match term.field:
        case Field.PRINCIPALS:
            return string_matcher(value, prefix=SPIFFE)
        case Field.NAMESPACES:
            return regex_matcher(f".*/ns/{'.*'.join(quote(part) for part in value.split('*'))}/.*")
        case Field.SERVICE_ACCOUNTS:
            namespace, _, name = qualify_account(value, policy.namespace).partition("/")
            return regex_matcher(f"{SPIFFE}.+/ns/{quote(namespace)}/(.+/|)sa/{quote(name)}(/.+)?")
        case Field.TRUST_DOMAINS if value == "*":
            return {"prefix": SPIFFE}
        case Field.TRUST_DOMAINS if "*" in value:
            parts = [quote(part) for part in value.split("*")]
            return regex_matcher(f"{SPIFFE}{'[^/]*'.join(parts)}/.*")
        case Field.TRUST_DOMAINS:
            return {"prefix": f"{SPIFFE}{value}/"}
    raise ValueError(f"{term.name} is no identity")


def request_principal(value: str) -> Data:
    """Issuer and subject of the token, each with its own form."""
    issuer, subject = split_forms(value)
    parts = [("iss", issuer), ("sub", subject)]
    ids = [
        {"metadata": metadata_matcher(JWT_FILTER, [PAYLOAD, name], {"string_match": matcher})}
        for name, matcher in parts
    ]
    return {"and_ids": {"ids": ids}}


def split_forms(value: str) -> tuple[Data, Data]:
    """The matchers of issuer and subject, split at the last slash."""
    present = regex_matcher(PRESENT)
    issuer, slash, subject = value.rpartition("/")
    if value == "*":
        return present, present
    if value.startswith("*"):
        return (string_matcher(issuer), exact_matcher(subject)) if slash else (present, string_matcher(value))
    if value.endswith("*"):
        return (exact_matcher(issuer), string_matcher(subject)) if slash else (string_matcher(value), present)
    return (
        (exact_matcher(issuer), exact_matcher(subject))
        if slash
        else (exact_matcher(value), exact_matcher(""))
    )


def negate(emitted: Data, term: Term, name: str) -> Data:
    """The term, or what is not it."""
    return {name: emitted} if term.negated else emitted
