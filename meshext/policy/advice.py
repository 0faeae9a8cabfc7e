"""What is legal in a policy but seldom meant: said, never read another way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from meshext.policy.model import Action, Field, Policy, Term
from meshext.policy.patterns import SPIFFE
from meshext.policy.trust import PARTS, TrustDomains

MOST = 20

STARRED = {Field.HOSTS, Field.METHODS, Field.PATHS, Field.PRINCIPALS, Field.HEADERS, Field.CLAIMS, Field.SNI}
"""Fields in which a * that is neither first nor last stands for itself."""


def advise(policies: Iterable[Policy], trust: TrustDomains) -> list[str]:
    """A line for each thing that is seldom meant, the policy's name first; of many the first few."""
    found = (f"{policy.full_name}: {line}" for policy in policies for line in advise_policy(policy, trust))
    lines = list(islice(found, MOST + 1))
    return lines if len(lines) <= MOST else [*lines[:MOST], "and more like these"]


def advise_policy(policy: Policy, trust: TrustDomains) -> Iterator[str]:
    """The lines of one policy."""
    if policy.action is Action.AUDIT and not policy.rules:
        yield "AUDIT without rules never matches"
    if policy.targets:
        yield "has targetRefs, which are for gateways and waypoints; it is not looked at here"
    for number, rule in enumerate(policy.rules):
        terms = [term for group in (*rule.sources, *rule.operations) for term in group]
        for term in [*terms, *rule.conditions]:
            for line in advise_term(term, trust):
                yield f"rules[{number}] {term.name}: {line}"


def advise_term(term: Term, trust: TrustDomains) -> Iterator[str]:
    """The lines of one term."""
    for value in term.values:
        if term.field in STARRED and "*" in value[1:-1] and "{*" not in value:
            yield f"{value!r}: a * inside stands for itself; only one at the start or the end is a wildcard"
        yield from advise_value(term, value, trust)


def advise_value(term: Term, value: str, trust: TrustDomains) -> Iterator[str]:
    """The lines of one value."""
    match term.field:
        case Field.HOSTS if not value.startswith("*") and not value.endswith("*") and ":" not in value:
            if f"{value}:*" not in term.values:
                yield f"{value!r} misses {value + ':8080'!r}, as a port in Host stays; add {value + ':*'!r}"
        case Field.METHODS if value != value.upper():
            yield f"{value!r}: methods are compared with case; write {value.upper()!r}"
        case Field.PATHS if not value.startswith(("/", "*")):
            yield f"{value!r} matches no path, as paths begin with a slash; write {'/' + value!r}"
        case Field.PATHS if "?" in value or "#" in value:
            yield f"{value!r} matches no path, as the query is no part of it; leave it out"
        case Field.SNI if value != value.lower():
            yield f"{value!r}: Envoy gives server names in lower case; write {value.lower()!r}"
        case Field.PORTS if int(value) == 0:
            yield "no request comes to port 0"
        case Field.PRINCIPALS:
            yield from advise_principal(value, trust)


def advise_principal(value: str, trust: TrustDomains) -> Iterator[str]:
    """The lines of a principal."""
    if value.startswith(SPIFFE):
        bare = value[len(SPIFFE) :]
        yield f"{value!r} matches nothing: a principal is written without {SPIFFE}; write {bare!r}"
        return
    parts = value.split("/")
    if len(parts) == PARTS and "*" not in parts[0] and not trust.knows(parts[0]):
        yield f"{value!r} is of the trust domain {parts[0]!r}, which is neither the mesh's nor an alias"
