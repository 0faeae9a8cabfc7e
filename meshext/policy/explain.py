"""Why a request is let through or refused: which rule decided, and what came closest."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from meshext.http.metadata import Json
from meshext.policy.checks import Check
from meshext.policy.compiled import Checks, ReadyRule
from meshext.policy.decide import Decider, DryRun, Ruleset, Verdict, Why
from meshext.policy.facts import Facts

MOST_CLOSEST = 5
_COMPARED = 200  # characters; comparing longer texts costs more than it tells


@dataclass(frozen=True, slots=True)
class Failure:
    """One term that does not hold: `field` as the policy names it, its values, and what the request had."""

    field: str
    wanted: tuple[str, ...]
    seen: Json


@dataclass(frozen=True, slots=True)
class Trial:
    """A rule tried on a request; `failures` are those of its nearest alternative, none where it matches."""

    rule: ReadyRule
    failures: tuple[Failure, ...]

    @property
    def matched(self) -> bool:
        """Whether the rule matches."""
        return not self.failures


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A verdict and why. `trials` is every rule that was looked at, in the order of the decision."""

    verdict: Verdict
    reason: str
    closest: tuple[Trial, ...]
    trials: tuple[Trial, ...]
    audited: tuple[ReadyRule, ...]
    dry_run: DryRun | None


def explain(decider: Decider, facts: Facts) -> Explanation:
    """Decide as the filter does, and say why. Every rule is tried, so this costs what an index saves."""
    verdict = decider.decide(facts)
    trials = [
        try_rule(rule, facts)
        for ruleset in (decider.audit, decider.deny, decider.allow, decider.dry_deny, decider.dry_allow)
        for rule in ruleset.index.rules
    ]
    nearest = find_closest(decider.allow, facts) if verdict.why is Why.NOT_ALLOWED else []
    return Explanation(
        verdict=verdict,
        reason=tell_reason(verdict, decider, facts, nearest),
        closest=tuple(nearest),
        trials=tuple(trials),
        audited=tuple(decider.audited(facts)),
        dry_run=decider.dry_run(facts, verdict),
    )


def try_rule(rule: ReadyRule, facts: Facts) -> Trial:
    """The rule, with the fewest terms that keep it from matching."""
    failures = [
        *fewest_failures(rule.sources, facts),
        *fewest_failures(rule.operations, facts),
        *find_failures(rule.conditions, facts),
    ]
    return Trial(rule, tuple(failures))


def fewest_failures(alternatives: tuple[Checks, ...], facts: Facts) -> list[Failure]:
    """What fails in the nearest of the alternatives."""
    tried = [find_failures(checks, facts) for checks in alternatives]
    return min(tried, key=closeness) if tried else []


def find_failures(checks: Checks, facts: Facts) -> list[Failure]:
    """The checks that do not hold."""
    return [
        Failure(name_of(check), check.term.values, check.seen(facts))
        for check in checks
        if not check.holds(facts)
    ]


def name_of(check: Check) -> str:
    """The field as the policy writes it; `not` before the key of a condition with `notValues`."""
    term = check.term
    return f"not {term.name}" if term.negated and "." in term.name else term.name


def find_closest(ruleset: Ruleset, facts: Facts) -> list[Trial]:
    """The rules that fail by the fewest terms, the likest values first."""
    tried = [try_rule(rule, facts) for rule in ruleset.index.rules]
    if not tried:
        return []
    least = min(len(trial.failures) for trial in tried)
    near = [trial for trial in tried if len(trial.failures) == least]
    return sorted(near, key=lambda trial: closeness(trial.failures))[:MOST_CLOSEST]


def closeness(failures: Sequence[Failure]) -> tuple[int, float]:
    """Less is closer: how many terms fail, then how unlike their values are."""
    return len(failures), sum(unlikeness(failure) for failure in failures)


def unlikeness(failure: Failure) -> float:
    """0 where what was seen is all but what was wanted, 1 where they have nothing in common."""
    seen = str(failure.seen or "")[:_COMPARED]
    ratios = [
        difflib.SequenceMatcher(None, seen, value[:_COMPARED], autojunk=False).ratio()
        for value in failure.wanted[:20]
    ]
    return 1 - max(ratios, default=0.0)


def tell_reason(verdict: Verdict, decider: Decider, facts: Facts, nearest: Sequence[Trial]) -> str:
    """The verdict in one line."""
    if verdict.rule is not None:
        action = verdict.rule.policy.action.value
        return f"{action} {tell_rule(verdict.rule)} matches{tell_match(verdict.rule, facts)}"
    if not decider.policies:
        return "no policy applies to this workload"
    if verdict.why is Why.NO_ALLOW:
        return (
            "no DENY policy matches, and there is no ALLOW policy"
            if decider.deny
            else "there is no ALLOW policy"
        )
    if not nearest:
        names = ", ".join(policy.full_name for policy in decider.allow.policies)
        return f"no ALLOW policy has a rule ({names}), so nothing is allowed"
    return f"no ALLOW policy matches; closest is {tell_trial(nearest[0])}"


def tell_rule(rule: ReadyRule) -> str:
    """`namespace/name rule 0`."""
    return f"{rule.policy.full_name} rule {rule.number}"


def tell_match(rule: ReadyRule, facts: Facts) -> str:
    """`: paths /admin* (saw "/admin/x")` of a rule that matches; "" where it asks for nothing."""
    holding = [checks for checks in (*rule.sources, *rule.operations) if not find_failures(checks, facts)]
    checks = [check for group in [*holding, rule.conditions] for check in group]
    told = [tell_failure(Failure(name_of(each), each.term.values, each.seen(facts))) for each in checks]
    return f": {'; '.join(dict.fromkeys(told))}" if told else " every request"


def tell_trial(trial: Trial) -> str:
    """A rule with what keeps it from matching."""
    return f"{tell_rule(trial.rule)}: {'; '.join(tell_failure(each) for each in trial.failures)}"


def tell_failure(failure: Failure) -> str:
    """`methods GET or POST, saw "PUT"`."""
    wanted = " or ".join(failure.wanted[:5]) + (" or ..." if len(failure.wanted) > 5 else "")
    seen = (
        "nothing"
        if failure.seen is None
        else repr(failure.seen)
        if not isinstance(failure.seen, str)
        else f'"{failure.seen}"'
    )
    return f"{failure.field} {wanted}, saw {seen}"
