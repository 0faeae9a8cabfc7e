"""What is written in the configuration of `rate-limit`, and each mistake in it with what to write instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from meshext.limits import LONGEST, Algorithm
from meshext_filters.rate_limit.durations import parse_duration
from meshext_filters.rate_limit.mistakes import (
    judge_callers,
    judge_duration,
    judge_header,
    judge_headers,
    judge_hits,
    judge_host,
    judge_key,
    judge_method,
    judge_name,
    judge_path,
    judge_prefix,
)
from meshext_filters.rate_limit.sources import Source, parse_key

MOST_LIMITS = 64  # that one request may meet, since a store decides so many at once
MOST_TRIALS = 63  # dry runs, each of which is decided on its own
BUCKETS = ("token_bucket", "gcra")


@dataclass(frozen=True)
class Quota:
    """So many hits in so much time."""

    rate: int
    """Hits, from 1 to 1,000,000,000."""
    per: str | int | float = ""
    """For how long: a duration such as `90s`, `1h30m`, `250ms`, `1d`."""
    algorithm: Algorithm = "sliding_window"
    """`fixed_window` lets up to twice `rate` pass around the edge of two windows, `sliding_window` does not.
    `token_bucket` and `gcra` refill evenly."""
    burst: int | None = None
    """How many hits may come at once (`token_bucket` and `gcra`); without it `rate`."""
    name: str = ""
    """What header fields call it; else the rule's name, with `-` and `per` where it has several limits."""

    def __post_init__(self) -> None:
        found = judge_hits("rate", self.rate) + judge_duration("per", self.per)
        sound = not found
        if self.burst is not None:
            found += judge_hits("burst", self.burst)
            if self.algorithm not in BUCKETS:
                found.append(
                    f"burst {self.burst} has no meaning for {self.algorithm}; leave it out, or write"
                    " algorithm: token_bucket"
                )
            elif sound and self.burst * self.window > LONGEST * self.rate:
                found.append(
                    f"burst {self.burst} needs more than ten years to refill at {self.rate} per {self.per};"
                    " write a smaller one"
                )
        if self.name:
            found += judge_name("name", self.name)
        if found:
            raise ValueError(*found)

    @property
    def window(self) -> float:
        """`per` in seconds."""
        return parse_duration("per", str(self.per))


@dataclass(frozen=True)
class Match:
    """Which requests a rule is for: of each field that is not empty, one entry has to fit.

    Texts are exact, `prefix*`, `*suffix` or `*`. Paths are without query and as the upstream gets them.
    """

    paths: list[str] = field(default_factory=list)
    """Such as `/api/*`."""
    not_paths: list[str] = field(default_factory=list)
    """Paths that the rule leaves alone, such as `/healthz`."""
    methods: list[str] = field(default_factory=list)
    """Such as `POST`."""
    hosts: list[str] = field(default_factory=list)
    """Names in lower case without port, such as `*.example.com`."""
    headers: dict[str, list[str]] = field(default_factory=dict)
    """Values by header; any line of that name may fit."""

    def __post_init__(self) -> None:
        found = [mistake for path in self.paths for mistake in judge_path("paths", path)]
        found += [mistake for path in self.not_paths for mistake in judge_path("not_paths", path)]
        found += [mistake for method in self.methods for mistake in judge_method(method)]
        found += [mistake for host in self.hosts for mistake in judge_host(host)]
        found += judge_headers(self.headers)
        if found:
            raise ValueError(*found)


@dataclass(frozen=True)
class Hits:
    """What a request costs: one hit, unless a header says otherwise."""

    header: str = ""
    """A request header with a whole number; one that is none is answered 400. Of several lines the largest
    counts."""
    response_header: str = ""
    """A header of the upstream's response with a whole number (ext_proc alone). `default` is taken when the
    request comes, the rest when the response does, even where so much is not left; that is paid back."""
    default: int = 1
    """Hits where the header is missing."""
    least: int = 1
    """Below this no request counts, whatever `header` says."""
    most: int = 1_000_000
    """Above it a request is answered 400; a response counts so many."""

    def __post_init__(self) -> None:
        found: list[str] = []
        if self.header and self.response_header:
            found.append("header and response_header do not go together; keep one of them")
        if self.header:
            found += judge_header("header", self.header)
        if self.response_header:
            found += judge_header("response_header", self.response_header)
        found += judge_hits("most", self.most)
        found += judge_hits("least", self.least)
        found += judge_hits("default", self.default, least=0 if self.response_header else 1)
        if self.least > self.most:
            found.append(f"least {self.least} is above most {self.most}; write at most {self.most}")
        if self.default > self.most:
            found.append(f"default {self.default} is above most {self.most}; write at most {self.most}")
        if found:
            raise ValueError(*found)


@dataclass(frozen=True)
class Override:
    """Other limits, or none, for callers that are named."""

    callers: dict[str, list[str]]
    """Values by source, such as `peer: [spiffe://td/ns/batch/*]`; all sources have to fit, and where a
    request has several values of one, each of them."""
    limits: list[Quota] = field(default_factory=list)
    """Their limits, in place of the rule's."""
    unlimited: bool = False
    """They have none."""

    def __post_init__(self) -> None:
        found: list[str] = []
        if bool(self.limits) == self.unlimited:
            found.append("write limits, or unlimited: true, and not both")
        found += judge_callers(self.callers)
        if found:
            raise ValueError(*found)


@dataclass(frozen=True)
class Rule:
    """Limits, and whose hits they count."""

    name: str
    """Stands in header fields, metrics and counters: lower case letters, digits and `.`, `_`, `-` inside."""
    limits: list[Quota]
    """All of them have to have room, or no counter moves."""
    by: list[str] = field(default_factory=list)
    """Each combination of these has counters of its own: `header:NAME`, `cookie:NAME`, `query:NAME`,
    `claim:NAME` (see `jwt_provider`), `client_address`, `peer` (the SPIFFE ID of the client's certificate),
    `peer_address`, `path`, `method`, `host`, `route`, and templates such as `{header:x-tenant}/{path}`.
    Empty: everybody together. Where a request has several values of a source, it counts for each."""
    match: Match = field(default_factory=Match)
    """Which requests; without it all."""
    hits: Hits = field(default_factory=Hits)
    """What a request costs."""
    missing: Literal["shared", "skip", "refuse"] = "shared"
    """What becomes of requests without a value of `by`: they share counters, the rule is not for them
    (which lets everybody leave the header out), or they are answered 400."""
    overrides: list[Override] = field(default_factory=list)
    """The first that fits decides."""
    dry_run: bool = False
    """Count and tell (metrics, log metadata), and refuse nobody."""

    def __post_init__(self) -> None:
        found = judge_name("name", self.name)
        if not self.limits:
            found.append(f"limits of {self.name!r} is empty; write such as [{{rate: 100, per: 1m}}]")
        found += judge_key(self.by)
        if self.missing != "shared" and not self.by:
            found.append(f"missing: {self.missing} has no meaning without by; write by, or leave it out")
        for quotas in (self.limits, *(override.limits for override in self.overrides)):
            found += judge_quotas(self.name, quotas)
        if found:
            raise ValueError(*found)

    @property
    def sources(self) -> list[Source]:
        """The sources in `by`, in order."""
        return [source for part in self.by for source in parse_key("by", part)]

    @property
    def most_limits(self) -> int:
        """The most limits that one caller meets."""
        return max([1, len(self.limits), *[len(override.limits) for override in self.overrides]])


@dataclass(frozen=True)
class Config:
    """Rules, and what they have in common."""

    rules: list[Rule]
    """All that match count; if one refuses, no counter moves. One request may meet 64 limits, and is answered
    400 beyond. Rules for paths, or for prefixes with a whole first segment (`/api/*`), are found without
    trying all others."""
    counters: Literal["shared", "worker"] = "shared"
    """`shared`: in the service's store (all workers; with `--store redis://...` all services). `worker`: each
    worker counts for itself, so that the whole is as many times the rate, and begins anew when the
    configuration changes."""
    store_away: Literal["closed", "open", "local"] = "closed"
    """When the store is away or has not answered within 25 ms: answer 503, let pass uncounted, or count in
    each worker for itself until it is back."""
    headers: bool = True
    """Tell clients by `RateLimit`, `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10) and
    `Retry-After`."""
    body: str = "too many requests\n"
    """The body of a 429."""
    jwt_provider: str = ""
    """The provider of Envoy's jwt_authn whose claims `claim:NAME` reads; no other provider's count."""
    ipv4_prefix: int = 32
    """Bits of an IPv4 address that count."""
    ipv6_prefix: int = 64
    """Bits of an IPv6 address that count; one client usually has a /64."""

    def __post_init__(self) -> None:
        found: list[str] = []
        if not self.rules:
            found.append("rules is empty; write such as rules: [{name: all, limits: [{rate: 100, per: 1m}]}]")
        found += judge_rule_names(self.rules)
        total = sum(rule.most_limits for rule in self.rules if rule.match == Match())
        if total > MOST_LIMITS:
            found.append(f"rules for all requests have {total} limits; write at most {MOST_LIMITS}")
        trials = sum(rule.dry_run for rule in self.rules)
        if trials > MOST_TRIALS:
            found.append(f"{trials} rules have dry_run; write at most {MOST_TRIALS}")
        found += judge_prefix("ipv4_prefix", self.ipv4_prefix, 32)
        found += judge_prefix("ipv6_prefix", self.ipv6_prefix, 128)
        if self.reads_claims and not self.jwt_provider:
            found.append("jwt_provider is empty, but a rule reads claims; write the provider's name")
        if self.counters == "worker" and self.store_away != "closed":
            found.append(f"store_away: {self.store_away} has no meaning with counters: worker; leave it out")
        if found:
            raise ValueError(*found)

    @property
    def reads_claims(self) -> bool:
        """Whether claims of a token are needed."""
        callers = [source for rule in self.rules for each in rule.overrides for source in each.callers]
        keys = [source.kind for rule in self.rules for source in rule.sources]
        return "claim" in keys or any(source.startswith("claim:") for source in callers)

    @property
    def reads_responses(self) -> bool:
        """Whether what a request costs is known with its response."""
        return any(rule.hits.response_header for rule in self.rules)


def quota_names(rule: str, quotas: list[Quota]) -> list[str]:
    """What the header fields call the limits of a rule."""
    alone = len(quotas) == 1
    return [quota.name or (rule if alone else f"{rule}-{str(quota.per).strip()}") for quota in quotas]


def judge_quotas(rule: str, quotas: list[Quota]) -> list[str]:
    """Distinct limits of distinct names within one list."""
    found: list[str] = []
    names = quota_names(rule, quotas)
    alike = [(each.algorithm, each.rate, each.burst or each.rate, each.window) for each in quotas]
    for index, name in enumerate(names):
        if alike[index] in alike[:index]:
            found.append(f"limits[{index}] is the same as limits[{alike.index(alike[index])}]; leave it out")
        elif name in names[:index]:
            found.append(f"limits[{index}]: two limits are called {name!r}; write a name for one of them")
    return found


def judge_rule_names(rules: list[Rule]) -> list[str]:
    """Distinct names of rules, and of limits over all rules."""
    found: list[str] = []
    owner: dict[str, str] = {}
    names: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.name in names:
            found.append(f"rules[{index}]: there is a rule {rule.name!r} already; write another name")
        names.add(rule.name)
        for quotas in (rule.limits, *(override.limits for override in rule.overrides)):
            for name in quota_names(rule.name, quotas):
                if owner.setdefault(name, rule.name) != rule.name:
                    taken = f"rule {owner[name]!r} has a limit {name!r} already"
                    found.append(f"rules[{index}]: {taken}; write another name")
    return found
