"""The verdict: DENY, then ALLOW; AUDIT and dry runs are told and change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from meshext.policy.compiled import ReadyRule, build_rules
from meshext.policy.facts import Facts
from meshext.policy.index import Index
from meshext.policy.model import Action, Policy
from meshext.policy.trust import TrustDomains


class Why(Enum):
    """What decided."""

    DENIED = "a DENY policy matches"
    NO_ALLOW = "there is no ALLOW policy"
    ALLOWED = "an ALLOW policy matches"
    NOT_ALLOWED = "no ALLOW policy matches"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a request may pass, and the rule that said so (None where no rule did)."""

    allowed: bool
    why: Why
    rule: ReadyRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What policies in dry run say.

    `denies` is whether a DENY policy in dry run matches, `allows` whether an ALLOW policy in dry run does,
    each by itself as Envoy's shadow rules tell it; None where there are none. `refuses` is whether the
    request would be refused if these policies were in force beside the others.
    """

    denies: bool | None
    allows: bool | None
    refuses: bool
    rule: ReadyRule | None = None


class Ruleset:
    """Policies of one action, enforced or in dry run, looked up by an index."""

    def __init__(self, policies: Sequence[Policy], trust: TrustDomains) -> None:
        self.policies = tuple(policies)
        self.index = Index(build_rules(self.policies, trust))

    def __bool__(self) -> bool:
        return bool(self.policies)

    def first_match(self, facts: Facts) -> ReadyRule | None:
        """The first rule that matches."""
        return self.index.first_match(facts)


class Decider:
    """Policies that apply to one workload (`scope.select_policies`), ready to decide.

    All policies of an action count together: one DENY refuses, one ALLOW lets pass. An ALLOW policy without
    rules matches nothing, so it refuses what no other ALLOW policy matches.
    """

    def __init__(self, policies: Sequence[Policy], trust: TrustDomains) -> None:
        self.policies = tuple(policies)
        self.deny = self._choose(Action.DENY, trust, dry_run=False)
        self.allow = self._choose(Action.ALLOW, trust, dry_run=False)
        self.audit = self._choose(Action.AUDIT, trust, dry_run=False)
        self.dry_deny = self._choose(Action.DENY, trust, dry_run=True)
        self.dry_allow = self._choose(Action.ALLOW, trust, dry_run=True)

    def decide(self, facts: Facts) -> Verdict:
        """The verdict of the policies in force."""
        denying = self.deny.first_match(facts)
        if denying is not None:
            return Verdict(allowed=False, why=Why.DENIED, rule=denying)
        if not self.allow:
            return Verdict(allowed=True, why=Why.NO_ALLOW)
        allowing = self.allow.first_match(facts)
        if allowing is not None:
            return Verdict(allowed=True, why=Why.ALLOWED, rule=allowing)
        return Verdict(allowed=False, why=Why.NOT_ALLOWED)

    def audited(self, facts: Facts) -> list[ReadyRule]:
        """The AUDIT rules that match."""
        return self.audit.index.all_matches(facts)

    def dry_run(self, facts: Facts, verdict: Verdict) -> DryRun | None:
        """What policies in dry run say beside that verdict of the others; None where there are none."""
        if not self.dry_deny and not self.dry_allow:
            return None
        denying = self.dry_deny.first_match(facts)
        allowing = self.dry_allow.first_match(facts)
        denied = denying is not None or verdict.why is Why.DENIED
        allowed = allowing is not None or verdict.why is Why.ALLOWED
        asked = bool(self.allow) or bool(self.dry_allow)
        return DryRun(
            denies=denying is not None if self.dry_deny else None,
            allows=allowing is not None if self.dry_allow else None,
            refuses=denied or (asked and not allowed),
            rule=denying if denying is not None else allowing,
        )

    def _choose(self, action: Action, trust: TrustDomains, *, dry_run: bool) -> Ruleset:
        chosen = [each for each in self.policies if each.action is action and each.dry_run is dry_run]
        return Ruleset(chosen, trust)
