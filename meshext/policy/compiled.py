"""Rules made ready: every term a check, built once for a configuration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from meshext.policy.building import build_check
from meshext.policy.checks import Check
from meshext.policy.facts import Facts
from meshext.policy.model import Policy, Rule, Terms
from meshext.policy.trust import TrustDomains

Checks = tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class ReadyRule:
    """A rule of a policy; `number` is its place in `rules`, from 0."""

    policy: Policy
    number: int
    sources: tuple[Checks, ...]
    operations: tuple[Checks, ...]
    conditions: Checks

    def matches(self, facts: Facts) -> bool:
        """One of the sources, one of the operations, and every condition."""
        return (
            (not self.operations or one_holds(self.operations, facts))
            and (not self.sources or one_holds(self.sources, facts))
            and all_hold(self.conditions, facts)
        )


def one_holds(alternatives: tuple[Checks, ...], facts: Facts) -> bool:
    """Whether all checks of one of the alternatives hold."""
    for checks in alternatives:  # noqa: SIM110  # a generator costs more than what it would ask
        if all_hold(checks, facts):
            return True
    return False


def all_hold(checks: Checks, facts: Facts) -> bool:
    """Whether every check holds."""
    for check in checks:  # noqa: SIM110  # so does one here
        if not check.holds(facts):
            return False
    return True


def build_rules(policies: Iterable[Policy], trust: TrustDomains) -> tuple[ReadyRule, ...]:
    """The rules of these policies, in order."""
    return tuple(
        [
            build_rule(policy, number, rule, trust)
            for policy in policies
            for number, rule in enumerate(policy.rules)
        ]
    )


def build_rule(policy: Policy, number: int, rule: Rule, trust: TrustDomains) -> ReadyRule:
    """One rule made ready; ValueError names the policy, the rule and the term that can not be."""
    try:
        return ReadyRule(
            policy,
            number,
            tuple([build_checks(terms, trust, policy.namespace) for terms in rule.sources]),
            tuple([build_checks(terms, trust, policy.namespace) for terms in rule.operations]),
            build_checks(rule.conditions, trust, policy.namespace),
        )
    except ValueError as error:
        raise ValueError(f"{policy.full_name}: rules[{number}] {error}") from None


def build_checks(terms: Terms, trust: TrustDomains, namespace: str) -> Checks:
    """The terms of one source, one operation, or all conditions."""
    checks: list[Check] = []
    for term in terms:
        try:
            checks.append(build_check(term, trust, namespace))
        except ValueError as error:
            raise ValueError(f"{term.name}: {error}") from None
    return tuple(checks)
