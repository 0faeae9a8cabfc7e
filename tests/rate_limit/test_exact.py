"""The whole filter against a slow and simple model of what its documentation says, on a frozen clock."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import product
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from meshext.limits import Algorithm, Limit, to_micros
from meshext.testing import Harness, Reply
from meshext_filters.rate_limit import RateLimit
from meshext_filters.rate_limit.config import Config, Hits, Override, Quota, Rule
from tests.store import slow_models

START = 1_767_225_600.25
DEBT = 7  # hits; what the smallest capacity may owe (see meshext.limits)
SHOWN = re.compile(r'"([^"]+)";r=(\d+);t=(\d+)')


Place = tuple[object, ...]
"""A counter: rule, caller and limit."""


class Unhurried(RateLimit):
    """The filter, on a machine that does other things as well."""

    name = "rate-limit"
    time_limit = 30.0


@dataclass(frozen=True)
class Call:
    """A request: who sends it (a header, any number of times), for what tenant, what it says it costs."""

    wait: float
    users: tuple[str, ...]
    tenant: str
    asked: str
    told: int


@dataclass
class Slow:
    """Every hit that ever counted, by rule, limit and caller."""

    config: Config
    hits: dict[Place, slow_models.Hits] = field(default_factory=dict)

    def callers(self, rule: Rule, call: Call) -> list[tuple[str | None, ...]] | str:
        """A caller for each combination, or what becomes of the request."""
        known = {"header:x-user": call.users, "query:tenant": (call.tenant,)}
        values: list[list[str | None]] = []
        for source in rule.by:
            found: list[str | None] = [value for value in dict.fromkeys(known[source]) if value]
            if not found and rule.missing != "shared":
                return rule.missing
            values.append(found or [None])
        return list(product(*values))

    def quotas(self, rule: Rule, caller: tuple[str | None, ...], call: Call) -> list[Quota]:
        for override in rule.overrides:
            user = caller[rule.by.index("header:x-user")] if "header:x-user" in rule.by else None
            users = [user] if user else [value for value in call.users if value]
            if users and all(each in override.callers["header:x-user"] for each in users):
                return override.limits
        return rule.limits

    def cost(self, rule: Rule, call: Call) -> int | None:
        if not rule.hits.header:
            return rule.hits.default
        if call.asked and not call.asked.isdigit():
            return None
        cost = int(call.asked) if call.asked else rule.hits.default
        return None if call.asked and cost > rule.hits.most else max(cost, rule.hits.least)

    def decide(self, call: Call, now: int) -> tuple[int, dict[str, int]]:
        """The status, and what is left of each limit; counts what is to be counted."""
        groups: dict[str, list[tuple[Rule, Quota, Place, int]]] = {}
        for rule in self.config.rules:
            cost, callers = self.cost(rule, call), self.callers(rule, call)
            if cost is None or callers == "refuse":
                if rule.dry_run:
                    continue
                return 400, {}
            for caller in callers if isinstance(callers, list) else []:
                for quota in self.quotas(rule, caller, call):
                    place: Place = (rule.name, caller, quota.algorithm, quota.rate, quota.burst, quota.window)
                    groups.setdefault(rule.name if rule.dry_run else "", []).append(
                        (rule, quota, place, cost)
                    )
        passed = {name: self.take(group, now) for name, group in groups.items()}
        if passed.get("", True):
            self.answer([each for name, group in groups.items() if passed[name] for each in group], call, now)
        left: dict[str, int] = {}
        for rule, quota, place, _ in groups.get("", []):
            name = quota.name or (rule.name if len(self.limits_with(rule, quota)) == 1 else "")
            name = name or f"{rule.name}-{quota.per}"
            left[name] = min(left.get(name, 10**9), self.remaining(quota, place, now))
        return (200 if passed.get("", True) else 429), left

    def limits_with(self, rule: Rule, quota: Quota) -> list[Quota]:
        lists = [rule.limits, *(override.limits for override in rule.overrides)]
        return next(quotas for quotas in lists if any(each is quota for each in quotas))

    def take(self, group: list[tuple[Rule, Quota, Place, int]], now: int) -> bool:
        """All or nothing."""
        if not all(self.fits(quota, place, max(cost, 1), now) for _, quota, place, cost in group):
            return False
        for _, _, place, cost in group:
            self.hits.setdefault(place, []).append((now, cost))
        return True

    def answer(self, counted: list[tuple[Rule, Quota, Place, int]], call: Call, now: int) -> None:
        """What the response adds, whether there is room or not."""
        for rule, _, place, cost in counted:
            if rule.hits.response_header:
                self.hits[place].append((now, max(min(call.told, rule.hits.most) - cost, 0)))

    def fits(self, quota: Quota, place: Place, cost: int, now: int) -> bool:
        limit = Limit(
            key="",
            algorithm=quota.algorithm,
            rate=quota.rate,
            window=quota.window,
            burst=quota.burst,
            cost=cost,
        )
        return slow_models.MODELS[quota.algorithm](limit, self.hits.get(place, []), now)

    def remaining(self, quota: Quota, place: Place, now: int) -> int:
        capacity = quota.burst or quota.rate
        return max(n for n in range(capacity + 1) if n == 0 or self.fits(quota, place, n, now))


@st.composite
def quotas(draw: st.DrawFn, number: int) -> Quota:
    algorithm = draw(st.sampled_from(get_args(Algorithm)))
    burst = draw(st.none() | st.integers(1, 4)) if algorithm in ("token_bucket", "gcra") else None
    rate, per = draw(st.integers(1, 5)), draw(st.sampled_from(["500ms", "7s", "1m", "1h30m"]))
    return Quota(
        rate=rate, per=per, algorithm=algorithm, burst=burst, name=draw(st.sampled_from(["", f"n{number}"]))
    )


@st.composite
def configs(draw: st.DrawFn) -> Config:
    rules = []
    for number in range(draw(st.integers(1, 3))):
        by = draw(st.sampled_from([[], ["header:x-user"], ["header:x-user", "query:tenant"]]))
        hits = draw(
            st.sampled_from(
                [Hits(), Hits(header="x-asked", most=4), Hits(response_header="x-told", default=0, most=DEBT)]
            )
        )
        limits = [draw(quotas(number))]
        if draw(st.booleans()):
            limits.append(replace(draw(quotas(number)), per="11s", name=f"m{number}"))
        overrides = []
        if draw(st.booleans()):
            others = draw(st.sampled_from([[], [draw(quotas(number))]]))
            overrides = [
                Override(callers={"header:x-user": ["ann", "bob"]}, limits=others, unlimited=not others)
            ]
        rules.append(
            Rule(
                name=f"r{number}",
                by=by,
                limits=limits,
                hits=hits,
                overrides=overrides,
                missing=draw(st.sampled_from(["shared", "skip", "refuse"])) if by else "shared",
                dry_run=draw(st.sampled_from([False, False, True])),
            )
        )
    return Config(rules=rules)


CALLS = st.lists(
    st.builds(
        Call,
        wait=st.sampled_from([0.0, 0.0, 0.2, 1.0, 3.5, 7.0, 20.0, 60.0, 4000.0]) | st.floats(0, 10),
        users=st.lists(st.sampled_from(["ann", "bob", "cid", ""]), max_size=3).map(tuple),
        tenant=st.sampled_from(["", "t", "u"]),
        asked=st.sampled_from(["", "0", "1", "2", "4", "5", "x"]),
        told=st.integers(0, 25),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=150)
@given(configs(), CALLS)
def test_the_filter_does_what_its_documentation_says(config: Config, calls: list[Call]) -> None:
    harness = Harness(Unhurried, config, now=START)
    slow, now = Slow(config), START
    for call in calls:
        harness.advance(call.wait)
        now += call.wait
        outcome = harness.request(
            target=f"/?tenant={call.tenant}" if call.tenant else "/",
            headers=[("x-user", user) for user in call.users]
            + ([("x-asked", call.asked)] if call.asked else []),
            response=Reply(headers={"x-told": str(call.told)}),
        )
        assert outcome.failures == ()
        status, left = slow.decide(call, to_micros(now))
        shown = {name: int(r) for name, r, _ in SHOWN.findall(outcome.headers.get("ratelimit", ""))}
        assert (outcome.status, shown) == (status, left)
        assert ("retry-after" in outcome.headers) <= (status == 429)
