"""The filter `rate-limit`."""

from __future__ import annotations

import logging
from dataclasses import replace

from meshext import (
    Counter,
    Filter,
    Limit,
    Needs,
    Outcome,
    Request,
    Respond,
    Response,
    StoreError,
    StoreUnavailable,
)
from meshext.store import MAX_LIMITS, MemoryStore
from meshext_filters.rate_limit import config as written
from meshext_filters.rate_limit import exchange
from meshext_filters.rate_limit.exchange import Count, rule_names
from meshext_filters.rate_limit.fields import Reading, limit_field, policy_field, retry_field, tightest
from meshext_filters.rate_limit.index import RuleIndex
from meshext_filters.rate_limit.rules import NUMBER, ReadyRule, Unclear, build_rules
from meshext_filters.rate_limit.sources import JWT

log = logging.getLogger("meshext.filters.rate-limit")

OUTCOMES = "passed, refused, would_refuse (dry run), unlimited, skipped, unclear or uncounted"


class RateLimit(Filter):
    """So many hits in so much time, for each caller, path, tenant or what else a key names.

    Every rule that a request matches counts it, and a request that one of them refuses (429) moves no
    counter. With `hits.response_header` in a rule it needs ext_proc, else ext_authz carries it too.

    Example:
        rules:
          - name: per-key
            by: ["header:x-api-key"]
            missing: shared       # who shows no key shares a count with all others who show none
            limits:
              - {rate: 10, per: 1s, algorithm: gcra, burst: 20, name: at-once}
              - {rate: 1000, per: 1d, name: daily}
    """

    name = "rate-limit"

    Config = written.Config
    State = exchange.State

    decided = Counter(
        "rate_limit_requests_total", labels=("rule", "outcome"), help=f"Requests by rule: {OUTCOMES}."
    )
    taken = Counter("rate_limit_hits_total", labels=("rule",), help="Hits that counters took.")
    away = Counter(
        "rate_limit_store_away_total",
        labels=("then",),
        help="Requests and responses for which the store did not answer in time, by what was done.",
    )

    def __init__(self, config: written.Config) -> None:
        self.rules = build_rules(config)
        self.index = RuleIndex(self.rules)
        self.settings = config
        self.local = MemoryStore()

    @classmethod
    def needs(cls, config: written.Config) -> Needs:
        """The response's headers only where one tells the cost, claims only where a rule reads them."""
        needs = super().needs(config)
        if config.reads_claims:
            needs = needs.adding(metadata_namespaces=(JWT,))
        return needs if config.reads_responses else needs.without("on_response")

    async def on_request(self, request: Request[exchange.State]) -> Respond | None:
        """Count, and answer 429 where a limit has no room."""
        try:
            counts = self.counts(request)
        except Unclear as unclear:
            return Respond(400, body=str(unclear), details="rate_limit_unclear")
        if not counts:
            return None
        outcomes = await self.take([each.limit for each in counts])
        if outcomes is None:
            return self.without_store(counts)
        return self.judge(request, counts, outcomes)

    async def on_response(self, response: Response[exchange.State]) -> Respond | None:
        """Count what the response says it cost beyond what was taken for the request."""
        state = response.state
        if not state.due:
            return None
        limits = [
            replace(each.limit, cost=rest_of(each, response), forced=True, group=0) for each in state.due
        ]
        outcomes = await self.take(limits)
        readings = state.readings
        if outcomes is not None:
            for each, limit in zip(state.due, limits, strict=True):
                self.taken.inc(limit.cost, rule=each.rule)
            readings = renewed(readings, state.due, outcomes)
        if self.settings.headers and readings:
            response.headers.add("ratelimit-policy", policy_field(tightest(readings)))
            response.headers.add("ratelimit", limit_field(tightest(readings)))
        return None

    def counts(self, request: Request[exchange.State]) -> list[Count]:
        """Everything that a request counts for; Unclear where a rule that binds can not say."""
        counts: list[Count] = []
        for rule in self.index.candidates(request.path):
            if not rule.match.fits(request):
                continue
            try:
                counts.extend(self.counts_of(rule, request))
            except Unclear:
                self.decided.inc(rule=rule.name, outcome="unclear")
                if not rule.dry_run:
                    raise
        if len(counts) > MAX_LIMITS:
            counts = [each for each in counts if not each.dry_run]
        if len(counts) > MAX_LIMITS:
            raise Unclear(f"this request counts for more than {MAX_LIMITS} limits\n")
        return counts

    def counts_of(self, rule: ReadyRule, request: Request[exchange.State]) -> list[Count]:
        """What a request counts for by one rule."""
        cost = rule.cost(request)
        callers = rule.callers(request)
        if not callers:
            self.decided.inc(rule=rule.name, outcome="skipped")
        counts: list[Count] = []
        for caller in callers:
            meters = rule.meters(caller, request)
            if not meters:
                self.decided.inc(rule=rule.name, outcome="unlimited")
                continue
            key = rule.key(caller)
            counts.extend([rule.counting(meter, key, cost) for meter in meters])
        return counts

    async def take(self, limits: list[Limit]) -> tuple[Outcome, ...] | None:
        """What the store says, or this worker's own counters; None where nobody counted."""
        if self.settings.counters == "worker":
            return await self.local.take(limits)
        try:
            return await self.store.take(limits)
        except StoreUnavailable:
            pass  # the store itself says once in the log that it is away
        except StoreError as error:
            log.error("the store refuses to count: %s", error)
        self.away.inc(then=self.settings.store_away)
        return await self.local.take(limits) if self.settings.store_away == "local" else None

    def without_store(self, counts: list[Count]) -> Respond | None:
        """What is declared for a store that is away."""
        for name in rule_names(counts):
            self.decided.inc(rule=name, outcome="uncounted")
        if self.settings.store_away == "open" or all(each.dry_run for each in counts):
            return None
        return Respond(
            503, headers={"retry-after": "1"}, body="try again later\n", details="rate_limit_store_away"
        )

    def judge(
        self, request: Request[exchange.State], counts: list[Count], outcomes: tuple[Outcome, ...]
    ) -> Respond | None:
        """Tell what the limits said, and refuse where one has to."""
        pairs = list(zip(counts, outcomes, strict=True))
        refusing = [each for each, outcome in pairs if not outcome.allowed]
        refused = rule_names([each for each in refusing if not each.dry_run])
        trial = rule_names([each for each in refusing if each.dry_run])
        self.tell(request, counts, refused, trial)
        readings = [each.read(outcome) for each, outcome in pairs if not each.dry_run]
        due = [each for each in counts if each.cost_header and each.rule not in trial]
        if due and not refused:
            request.state.due, request.state.readings = due, readings
        elif self.settings.headers and readings:
            request.response_headers.add("ratelimit-policy", policy_field(tightest(readings)))
            request.response_headers.add("ratelimit", limit_field(tightest(readings)))
        if not refused:
            return None
        retry = retry_field(readings)
        headers = {"retry-after": retry} if retry and self.settings.headers else {}
        return Respond(429, headers=headers, body=self.settings.body, details="rate_limited")

    def tell(
        self, request: Request[exchange.State], counts: list[Count], refused: list[str], trial: list[str]
    ) -> None:
        """Metrics, and metadata for the access log."""
        for name in rule_names(counts):
            outcome = "refused" if name in refused else "would_refuse" if name in trial else "passed"
            self.decided.inc(rule=name, outcome=outcome)
        for each in counts:
            if each.rule not in trial and (each.dry_run or not refused):
                self.taken.inc(each.limit.cost, rule=each.rule)
        if refused:
            request.set_metadata("refused", refused)
        if trial:
            request.set_metadata("would_refuse", trial)


def rest_of(count: Count, response: Response[exchange.State]) -> int:
    """The hits that the response adds: what it says, up to `most`, beyond what was taken already."""
    lines = response.headers.get_all(count.cost_header)
    if not lines or not all(NUMBER.fullmatch(line) for line in lines):
        return 0
    told = max([int(line) for line in lines])
    return max(min(told, count.most) - count.limit.cost, 0)


def renewed(readings: list[Reading], due: list[Count], outcomes: tuple[Outcome, ...]) -> list[Reading]:
    """The readings, those of limits that the response counted for as they stand now."""
    names = [each.shown.name for each in due]
    later = [each.read(outcome) for each, outcome in zip(due, outcomes, strict=True) if not each.dry_run]
    return [reading for reading in readings if reading.shown.name not in names] + later
