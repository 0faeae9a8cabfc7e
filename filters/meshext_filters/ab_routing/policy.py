"""The policy `ab-routing`."""

from __future__ import annotations

import time

from meshext import Counter, Filter, Needs, Request
from meshext_filters.ab_routing import config as written
from meshext_filters.ab_routing.assignment import Assignment, Choice
from meshext_filters.ab_routing.overrides import Override, read_override
from meshext_filters.ab_routing.sources import JWT, Source, parse_source
from meshext_filters.ab_routing.visits import Visit, new_visitor, owner_of, read_visit, write_visit


class ABRouting(Filter):
    """Sends a stable share of the users to each variant of an experiment.

    For each experiment the request gets a header with the user's variant, and Envoy chooses the route
    again, so that a route which matches on the header leads to another upstream. Nobody else can set that
    header: what a client sends under its name is removed.

    A user is told by a key (a header, a cookie, a query parameter, a segment of the path, a certificate, a
    claim of a token) and gets the same variant on every machine, since a hash decides and nothing is stored.
    Who has no key is known again by a cookie.

    Testers choose their variants by a signed token that ends: `python -m meshext_filters.ab_routing --help`
    makes one.

    The variant of each experiment is also in the metadata, under the experiment's name, for the access log
    and for filters behind this one.

    Example:
        user: [header:x-user-id]
        keys: ["a demonstration, not a secret: 0123456789"]
        experiments:
          - name: checkout
            variants: {control: 90, v2: 10}
          - name: search          # search and prices exclude each other
            layer: results
            share: 50
            variants: {control: 50, fuzzy: 49.9, semantic: 0.1}
          - name: prices
            layer: results
            share: 30
            sticky: true
            variants: {control: 50, rounded: 50}
    """

    name = "ab-routing"
    exposures = Counter(
        "ab_routing_exposures_total",
        labels=("experiment", "variant", "how"),
        help="Requests that met a variant; how: split (by the weights), sticky (by the cookie), tester.",
    )
    refused = Counter(
        "ab_routing_refused_total",
        labels=("what", "why"),
        help="Cookies and tester tokens that were not believed: signature, form, expired, unknown (a name).",
    )

    Config = written.Config

    def __init__(self, config: written.Config) -> None:
        self.config = config
        self.sources: list[Source] = [parse_source("user", source) for source in config.user]
        self.assignment = Assignment(config)
        self.stripped: list[str] = [each.routing_header for each in config.experiments]
        if config.testers.header:
            self.stripped.append(config.testers.header.lower())

    @classmethod
    def needs(cls, config: written.Config) -> Needs:
        """Metadata is asked for where it is read."""
        sources = [parse_source("user", source) for source in config.user]
        namespaces = [source.name for source in sources if source.kind == "metadata"]
        if config.reads_claims:
            namespaces.append(JWT)
        return super().needs(config).adding(metadata_namespaces=tuple(namespaces))

    def on_request(self, request: Request) -> None:
        """Everything that is written here counts for the choice of the route."""
        now = int(time.time())
        override = self.read_override(request, now)
        for name in self.stripped:
            del request.headers[name]
        user = self.find_user(request)
        seen = read_visit(request.cookies.get(self.config.cookie.name, ""), keys=self.config.keys, now=now)
        self.count_problem("cookie", seen.problem)
        visitor = self.find_visitor(seen, user)
        before = self.choices_of(seen, user)
        choices = self.assignment.choose(user or visitor, override.choices, before)
        self.tell(request, choices)
        kept = self.assignment.sticky_of(choices, before)
        if kept or (visitor and not user):
            self.remember(request, seen, Visit(visitor, owner_of(user, self.config.keys), kept), now)

    def read_override(self, request: Request, now: int) -> Override:
        """What a tester's token gives; the first place that has one counts. It goes no further than here."""
        where = self.config.testers
        token = request.headers.get(where.header, "") if where.header else ""
        if where.query and where.query in request.query:
            token = token or request.query.get(where.query, "")
            del request.query[where.query]
        if where.cookie:
            token = token or request.cookies.get(where.cookie, "")
        if not token or not self.config.keys:
            return Override()
        override = read_override(token, keys=self.config.keys, now=now)
        known = self.assignment.known(override.choices)
        problem = override.problem or ("unknown" if len(known) < len(override.choices) else "")
        self.count_problem("override", problem)
        return Override(known, problem)

    def find_user(self, request: Request) -> str:
        """The key of the first source that has one, "" for an unknown user."""
        for source in self.sources:
            key = source.read(request, self.config.jwt_provider)
            if key:
                return key
        return ""

    def find_visitor(self, seen: Visit, user: str) -> str:
        """The name of an unknown user, which may be new; "" where nobody needs one."""
        if self.config.anonymous != "cookie":
            return ""
        return seen.visitor if seen.visitor or user else new_visitor()

    def choices_of(self, seen: Visit, user: str) -> dict[str, str]:
        """What the cookie keeps for this user; what was made for somebody else is nothing."""
        if not user or not seen.owner:
            return {} if user or seen.owner else seen.choices
        return seen.choices if owner_of(user, self.config.keys) == seen.owner else {}

    def tell(self, request: Request, choices: list[Choice]) -> None:
        """Set the headers, count, and tell filters and logs."""
        for choice in choices:
            if choice.variant:
                request.headers[choice.header] = choice.variant
            if choice.how:
                self.exposures.inc(experiment=choice.experiment, variant=choice.variant, how=choice.how)
                request.set_metadata(choice.experiment, choice.variant)

    def remember(self, request: Request, seen: Visit, visit: Visit, now: int) -> None:
        """Write the cookie, unless it says so already and half of its life is left."""
        cookie = self.config.cookie
        fresh = cookie.max_age // 2 <= seen.expires - now <= cookie.max_age
        if fresh and visit == Visit(seen.visitor, seen.owner, seen.choices, 0, seen.problem):
            return
        dated = Visit(visit.visitor, visit.owner, visit.choices, now + cookie.max_age)
        value = write_visit(dated, self.config.keys)
        request.response_headers.add("set-cookie", f"{cookie.name}={value}; {cookie.attributes}")

    def count_problem(self, what: str, why: str) -> None:
        """Something that a client showed was not believed."""
        if why:
            self.refused.inc(what=what, why=why)
