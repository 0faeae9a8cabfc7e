"""What is written in the configuration of `rate-limit`, and each mistake in it with what to write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from meshext.limits import LARGEST, LONGEST, Algorithm
from meshext_filters.rate_limit.durations import parse_duration
from meshext_filters.rate_limit.patterns import parse_pattern
from meshext_filters.rate_limit.sources import Source, check_header, parse_key, parse_source

NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")
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
        check_hits("rate", self.rate)
        if self.per == "":
            raise ValueError('per is missing; write such as per: "1m"')
        if not isinstance(self.per, str):
            raise ValueError(f'per {self.per!r} has no unit; write "{self.per}s" for seconds')
        window = parse_duration("per", self.per)
        if self.burst is not None:
            check_hits("burst", self.burst)
            if self.algorithm not in BUCKETS:
                raise ValueError(
                    f"burst {self.burst} has no meaning for {self.algorithm}; leave it out, or write"
                    " algorithm: token_bucket"
                )
            if self.burst * window > LONGEST * self.rate:
                raise ValueError(
                    f"burst {self.burst} needs more than ten years to refill at {self.rate} per {self.per};"
                    " write a smaller one"
                )
        if self.name:
            check_name("name", self.name)

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
        for name, patterns in (("paths", self.paths), ("not_paths", self.not_paths)):
            for path in patterns:
                check_path(name, path)
        for method in self.methods:
            if not method.isalpha() or method != method.upper():
                raise ValueError(
                    f"methods {method!r}: methods are written in capitals; write {method.upper()!r}"
                )
        for host in self.hosts:
            check_host(host)
        for name, values in self.headers.items():
            check_header("headers", name)
            if not values:
                raise ValueError(f"headers {name!r} has no values; write such as ['*'] for any")
            for value in values:
                parse_pattern(f"headers {name!r}", value)


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
        if self.header and self.response_header:
            raise ValueError("header and response_header do not go together; keep one of them")
        for name, header in (("header", self.header), ("response_header", self.response_header)):
            if header:
                check_header(name, header)
        check_hits("most", self.most)
        check_hits("least", self.least)
        check_hits("default", self.default, least=0 if self.response_header else 1)
        if self.least > self.most:
            raise ValueError(f"least {self.least} is above most {self.most}; write at most {self.most}")
        if self.default > self.most:
            raise ValueError(f"default {self.default} is above most {self.most}; write at most {self.most}")


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
        if bool(self.limits) == self.unlimited:
            raise ValueError("write limits, or unlimited: true, and not both")
        if not self.callers:
            raise ValueError("callers is empty; write such as callers: {peer: [spiffe://td/ns/batch/*]}")
        for source, values in self.callers.items():
            parse_source("callers", source)
            if not values:
                raise ValueError(f"callers {source!r} has no values; write such as ['alice']")
            for value in values:
                parse_pattern(f"callers {source!r}", value)


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
        check_name("name", self.name)
        if not self.limits:
            raise ValueError(f"limits of {self.name!r} is empty; write such as [{{rate: 100, per: 1m}}]")
        seen: list[Source] = []
        for part in self.by:
            for source in parse_key("by", part):
                if source in seen:
                    raise ValueError(f"by {part!r}: {source.text} is there already; write it once")
                seen.append(source)
        if self.missing != "shared" and not seen:
            raise ValueError(f"missing: {self.missing} has no meaning without by; write by, or leave it out")
        for quotas in (self.limits, *(override.limits for override in self.overrides)):
            check_names(self.name, quotas)

    @property
    def sources(self) -> list[Source]:
        """The sources in `by`, in order."""
        return [source for part in self.by for source in parse_key("by", part)]

    @property
    def most_limits(self) -> int:
        """The most limits that one caller meets."""
        return max(len(self.limits), *(len(override.limits) for override in self.overrides), 1)


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
        if not self.rules:
            raise ValueError(
                "rules is empty; write such as rules: [{name: all, limits: [{rate: 100, per: 1m}]}]"
            )
        check_rule_names(self.rules)
        total = sum(rule.most_limits for rule in self.rules if rule.match == Match())
        if total > MOST_LIMITS:
            raise ValueError(f"rules for all requests have {total} limits; write at most {MOST_LIMITS}")
        trials = sum(rule.dry_run for rule in self.rules)
        if trials > MOST_TRIALS:
            raise ValueError(f"{trials} rules have dry_run; write at most {MOST_TRIALS}")
        check_prefix("ipv4_prefix", self.ipv4_prefix, 32)
        check_prefix("ipv6_prefix", self.ipv6_prefix, 128)
        if self.reads_claims and not self.jwt_provider:
            raise ValueError("jwt_provider is empty, but a rule reads claims; write the provider's name")
        if self.counters == "worker" and self.store_away != "closed":
            raise ValueError(
                f"store_away: {self.store_away} has no meaning with counters: worker; leave it out"
            )

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


def check_names(rule: str, quotas: list[Quota]) -> None:
    """Distinct names within one list of limits."""
    names = quota_names(rule, quotas)
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ValueError(f"limits[{index}]: two limits are called {name!r}; write a name for one of them")
    alike = [(each.algorithm, each.rate, each.burst or each.rate, each.window) for each in quotas]
    for index, each in enumerate(alike):
        if each in alike[:index]:
            raise ValueError(f"limits[{index}] is the same as limits[{alike.index(each)}]; leave it out")


def check_rule_names(rules: list[Rule]) -> None:
    """Distinct names of rules, and of limits over all rules."""
    owner: dict[str, str] = {}
    names: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.name in names:
            raise ValueError(f"rules[{index}]: there is a rule {rule.name!r} already; write another name")
        names.add(rule.name)
        for quotas in (rule.limits, *(override.limits for override in rule.overrides)):
            for name in quota_names(rule.name, quotas):
                if owner.setdefault(name, rule.name) != rule.name:
                    taken = f"rule {owner[name]!r} has a limit {name!r} already"
                    raise ValueError(f"rules[{index}]: {taken}; write another name")


def check_hits(name: str, hits: int, *, least: int = 1) -> None:
    """A number of hits."""
    if not least <= hits <= LARGEST:
        raise ValueError(f"{name} {hits} is out of reach; write a whole number from {least} to {LARGEST}")


def check_name(name: str, value: str) -> None:
    """A name that is fit for a header field, a metric's label and a key."""
    if not NAME.fullmatch(value):
        raise ValueError(
            f"{name} {value!r}: write 1 to 64 lower case letters, digits, '.', '_' or '-', such as 'per-user'"
        )


def check_path(name: str, path: str) -> None:
    """A pattern of paths."""
    parse_pattern(name, path)
    if not path.startswith(("/", "*")):
        raise ValueError(f"{name} {path!r}: a path begins with a slash; write {'/' + path!r}")
    if "?" in path or "#" in path:
        bare = path.partition("?")[0].partition("#")[0]
        raise ValueError(f"{name} {path!r}: a path has no query and no fragment; write {bare!r}")


def check_host(host: str) -> None:
    """A pattern of hosts."""
    parse_pattern("hosts", host)
    bare = host.lower().partition(":")[0].rstrip(".")
    if host != bare and not host.startswith("["):
        raise ValueError(f"hosts {host!r}: hosts are compared in lower case, without port; write {bare!r}")


def check_prefix(name: str, bits: int, most: int) -> None:
    """Bits of an address."""
    if not 1 <= bits <= most:
        raise ValueError(f"{name} {bits} is no prefix; write bits from 1 to {most}")
