"""A configuration made ready: what is the same for every request is worked out once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from meshext import Limit, Request
from meshext_filters.rate_limit.config import Config, Match, Override, Quota, Rule, quota_names
from meshext_filters.rate_limit.exchange import Count, State
from meshext_filters.rate_limit.fields import Shown, build_shown
from meshext_filters.rate_limit.patterns import Pattern, any_matches, parse_pattern
from meshext_filters.rate_limit.sources import Scope, Source, parse_source

MOST_CALLERS = 8  # combinations of values in one request that a rule counts for
NUMBER = re.compile(r"[0-9]{1,18}")
MISSING = "-"

Caller = dict[str, str]
"""A value for each source of a key, by the source's text; one that the request lacks is left out."""


class Unclear(Exception):
    """The request does not say clearly whom it counts for, or what; the text is for the client."""


@dataclass(frozen=True)
class Meter:
    """One limit of a rule, but for the key and the cost."""

    limit: Limit
    shown: Shown


@dataclass(frozen=True)
class Condition:
    """A source all of whose values have to be among some."""

    source: Source
    patterns: list[Pattern]


@dataclass(frozen=True)
class Exemption:
    """The limits of callers that are named; none where they are unlimited."""

    conditions: list[Condition]
    meters: list[Meter]

    def fits(self, caller: Caller, request: Request[State], scope: Scope) -> bool:
        """Whether it is for this caller; a value of the key is looked at alone, of other sources each."""
        for condition in self.conditions:
            own = caller.get(condition.source.text)
            values = condition.source.values(request, scope) if own is None else [own]
            if not values or not all(any_matches(condition.patterns, value) for value in values):
                return False
        return True


class ReadyRule:
    """One rule."""

    def __init__(self, rule: Rule, group: int, scope: Scope) -> None:
        self.name = rule.name
        self.dry_run = rule.dry_run
        self.missing = rule.missing
        self.hits = rule.hits
        self.group = group
        self.match = ReadyMatch(rule.match)
        self._scope = scope
        self._sources = rule.sources
        self._meters = build_meters(rule.name, rule.limits, group)
        self._exemptions = [build_exemption(rule.name, each, group) for each in rule.overrides]
        # The sources are part of the key, so that another key under the same name begins anew.
        self._prefix = "".join([length_first(source.text) for source in self._sources])

    def callers(self, request: Request[State]) -> list[Caller]:
        """Whom a request counts for; nobody where the rule is skipped. Unclear where it is refused."""
        callers: list[Caller] = [{}]
        for source in self._sources:
            values = source.values(request, self._scope)
            if not values and self.missing == "skip":
                return []
            if not values and self.missing == "refuse":
                raise Unclear(f"{source.text} is missing\n")
            if values:
                callers = [{**caller, source.text: value} for caller in callers for value in values]
            if len(callers) > MOST_CALLERS:
                raise Unclear(f"too many values of {source.text}\n")
        return callers

    def key(self, caller: Caller) -> str:
        """What names a caller's counters: the rule, and a digest of values that may be long or secret."""
        parts = [length_first(caller[s.text]) if s.text in caller else MISSING for s in self._sources]
        text = self._prefix + "".join(parts)
        return f"{self.name}:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"

    def meters(self, caller: Caller, request: Request[State]) -> list[Meter]:
        """The limits of a caller."""
        for exemption in self._exemptions:
            if exemption.fits(caller, request, self._scope):
                return exemption.meters
        return self._meters

    def counting(self, meter: Meter, key: str, cost: int) -> Count:
        """One limit for one caller and request."""
        return Count(
            rule=self.name,
            dry_run=self.dry_run,
            shown=meter.shown,
            limit=meter.limit.counting(key, cost),
            cost_header=self.hits.response_header.lower(),
            most=self.hits.most,
        )

    def cost(self, request: Request[State]) -> int:
        """Hits to take when the request comes; Unclear where its header has no number to count with."""
        if not self.hits.header:
            return self.hits.default
        lines = request.headers.get_all(self.hits.header)
        if not lines:
            return max(self.hits.default, self.hits.least)
        if not all(NUMBER.fullmatch(line) for line in lines):
            raise Unclear(f"{self.hits.header} is no whole number\n")
        hits = max([int(line) for line in lines])
        if hits > self.hits.most:
            raise Unclear(f"{self.hits.header} is above {self.hits.most}\n")
        return max(hits, self.hits.least)


class ReadyMatch:
    """Which requests a rule is for."""

    def __init__(self, match: Match) -> None:
        self.paths = [parse_pattern("paths", each) for each in match.paths]
        self._not_paths = [parse_pattern("not_paths", each) for each in match.not_paths]
        self._methods = list(match.methods)
        self._hosts = [parse_pattern("hosts", each) for each in match.hosts]
        self._headers = [
            (name.lower(), [parse_pattern("headers", each) for each in values])
            for name, values in match.headers.items()
        ]

    def fits(self, request: Request[State]) -> bool:
        """Whether the rule is for this request."""
        path = request.path
        if self.paths and not any_matches(self.paths, path):
            return False
        if self._not_paths and any_matches(self._not_paths, path):
            return False
        if self._methods and request.method not in self._methods:
            return False
        if self._hosts and not any_matches(self._hosts, request.hostname):
            return False
        for name, patterns in self._headers:
            if not any(any_matches(patterns, line) for line in request.headers.get_all(name)):
                return False
        return True


def build_rules(config: Config) -> list[ReadyRule]:
    """The rules; those of a dry run have a group each, so that they stand beside what counts."""
    scope = Scope(config.jwt_provider, config.ipv4_prefix, config.ipv6_prefix)
    ready: list[ReadyRule] = []
    trials = 0
    for rule in config.rules:
        trials += 1 if rule.dry_run else 0
        ready.append(ReadyRule(rule, trials if rule.dry_run else 0, scope))
    return ready


def build_exemption(rule: str, override: Override, group: int) -> Exemption:
    """An override made ready."""
    conditions = [
        Condition(parse_source("callers", source), [parse_pattern("callers", value) for value in values])
        for source, values in override.callers.items()
    ]
    return Exemption(conditions, build_meters(rule, override.limits, group))


def build_meters(rule: str, quotas: list[Quota], group: int) -> list[Meter]:
    """Limits made ready."""
    names = quota_names(rule, quotas)
    return [build_meter(name, quota, group) for name, quota in zip(names, quotas, strict=True)]


def build_meter(name: str, quota: Quota, group: int) -> Meter:
    """One limit made ready."""
    limit = Limit(
        key="",
        algorithm=quota.algorithm,
        rate=quota.rate,
        window=quota.window,
        burst=quota.burst,
        group=group,
    )
    return Meter(limit, build_shown(name, limit))


def length_first(text: str) -> str:
    """Text behind its length, so that no two lists of texts read the same."""
    return f"{len(text)}:{text}"
