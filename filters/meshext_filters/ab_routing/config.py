"""What is written in the configuration of `ab-routing`, and each mistake in it with what to write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from meshext_filters.ab_routing.shares import check_sum, tenths
from meshext_filters.ab_routing.sources import parse_source
from meshext_filters.ab_routing.visits import LONGEST
from meshext_filters.header_names import TOKEN

NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")
DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
SHORTEST_KEY = 32  # characters
MOST_VARIANTS = 300  # series of a metric are 1,000, and each variant has three
OWN_PARTS = 120  # characters of a cookie beside its choices
LONGEST_LIFE = 400 * 86_400  # seconds; browsers cut what is longer (RFC 6265bis 5.5)
RESERVED = (
    "host",
    "cookie",
    "authorization",
    "x-request-id",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "upgrade",
)


@dataclass(frozen=True)
class Experiment:
    """One experiment: its variants and their shares."""

    name: str
    """Stands in headers, metrics and cookies: lower case letters, digits, `-`, `_`."""
    variants: dict[str, float]
    """Percent of the experiment's users by variant, in steps of 0.1, 100 together. The first named is the
    control: the others take their users from it. A variant with 0 is for testers only."""
    header: str = ""
    """The request header that is set to the variant, for routes to match; without it `x-ab-` and the name.
    What a client sends under this name is removed, always."""
    share: float = 100.0
    """Percent of the users that take part, in steps of 0.1; of a layer's users where it is in one."""
    layer: str = ""
    """Experiments of one layer exclude each other: a user takes part in one of them at most."""
    sticky: bool = False
    """Who has a variant keeps it as long as the cookie lives, whatever the weights become; not one that went
    to 0 or is gone. Needs `keys`."""
    outside: str = ""
    """The header's value for users who do not take part; without it they have no such header."""
    before: list[dict[str, float]] = field(default_factory=list)
    """Earlier `variants`, oldest first: with them a change moves no user that it does not have to. Two
    variants need none."""
    salt: str = ""
    """Another text deals the users anew."""

    def __post_init__(self) -> None:
        check_name("name", self.name)
        if len(self.variants) < 2:
            raise ValueError(f"variants has {len(self.variants)}; write two or more: {{a: 50, b: 50}}")
        for number, step in enumerate([self.variants, *self.before]):
            where = "variants" if number == 0 else f"before[{number - 1}]"
            for variant, percent in step.items():
                check_name(where, variant)
                tenths(f"{where}.{variant}", percent)
            check_sum(where, step)
        if tenths("share", self.share) == 0:
            raise ValueError(
                "share 0: nobody would take part; write 0.1 or more, or leave the experiment out"
            )
        if self.layer:
            check_name("layer", self.layer)
        check_routing_header("header", self.routing_header)
        if self.outside:
            check_name("outside", self.outside)
        if self.outside in self.variants:
            raise ValueError(f"outside {self.outside!r} is a variant; write a word that is none")

    @property
    def routing_header(self) -> str:
        """The header in lower case."""
        return (self.header or f"x-ab-{self.name}").lower()


@dataclass(frozen=True)
class Layer:
    """What a layer had before."""

    before: list[dict[str, float]] = field(default_factory=list)
    """Earlier shares by experiment, oldest first: with them a change moves no user that it does not have
    to."""

    def __post_init__(self) -> None:
        for number, step in enumerate(self.before):
            for name, percent in step.items():
                tenths(f"before[{number}].{name}", percent)
            check_sum(f"before[{number}]", step, whole=False)


@dataclass(frozen=True)
class Cookie:
    """The cookie that knows a visitor again."""

    name: str = "meshext-ab"
    """Its name; `__Host-` before it asks browsers to be strict."""
    max_age: int = 30 * 86_400
    """How long it lives, in seconds; it is renewed when half of that is over."""
    path: str = "/"
    """Below which path it is sent."""
    domain: str = ""
    """The domain whose subdomains share it; without it the host alone."""
    secure: bool = True
    """Over TLS only."""
    http_only: bool = True
    """Not for scripts."""
    same_site: Literal["Lax", "Strict", "None"] = "Lax"
    """When another site's page may make a browser send it (`SameSite`)."""

    def __post_init__(self) -> None:
        if not TOKEN.fullmatch(self.name) or len(self.name) > 64:
            raise ValueError(f"name {self.name!r} is no cookie's name; write such as 'meshext-ab'")
        if not 60 <= self.max_age <= LONGEST_LIFE:
            raise ValueError(f"max_age {self.max_age}: write seconds from 60 to {LONGEST_LIFE} (400 days)")
        if not re.fullmatch(r"/[!-:<-~]*", self.path):
            raise ValueError(f"path {self.path!r} is no path for a cookie; write such as '/'")
        if self.domain and not DOMAIN.fullmatch(self.domain):
            raise ValueError(f"domain {self.domain!r} is no domain; write such as 'example.com'")
        if self.same_site == "None" and not self.secure:
            raise ValueError("same_site: None without secure is dropped by browsers; write secure: true")
        if self.name.startswith("__Secure-") and not self.secure:
            raise ValueError(f"name {self.name!r} without secure is dropped by browsers; write secure: true")
        if self.name.startswith("__Host-") and not (self.secure and self.path == "/" and not self.domain):
            raise ValueError(
                f"name {self.name!r} asks for secure: true, path: / and no domain; write that or another name"
            )

    @property
    def attributes(self) -> str:
        """What follows the value in `Set-Cookie`."""
        parts = [f"Path={self.path}", f"Max-Age={self.max_age}"]
        if self.domain:
            parts.append(f"Domain={self.domain}")
        if self.http_only:
            parts.append("HttpOnly")
        if self.secure:
            parts.append("Secure")
        return "; ".join([*parts, f"SameSite={self.same_site}"])


@dataclass(frozen=True)
class Testers:
    """Where testers show their token.

    It is made by `python -m meshext_filters.ab_routing`, counts only if one of `keys` signed it, and never
    reaches the upstream in a header or in the query.
    """

    header: str = "x-ab-override"
    """A request header."""
    query: str = ""
    """A query parameter, for links."""
    cookie: str = ""
    """A cookie, for browsers."""

    def __post_init__(self) -> None:
        if self.header:
            check_routing_header("header", self.header.lower())
        if self.cookie and not TOKEN.fullmatch(self.cookie):
            raise ValueError(f"cookie {self.cookie!r} is no cookie's name; write such as 'ab-override'")


@dataclass(frozen=True)
class Config:
    """Experiments, and how users are told apart."""

    experiments: list[Experiment]
    """Each sets a header of its own."""
    user: list[str] = field(default_factory=list)
    """Where a user's key comes from, the first that the request has: `header:NAME`, `cookie:NAME`,
    `query:NAME`, `claim:NAME` (see `jwt_provider`), `metadata:NAMESPACE:KEY` (Envoy's dynamic metadata, what
    a filter before this one wrote among it), `peer` (the SPIFFE ID of the client's certificate),
    `peer_address`, `client_address`, `path`, `path:2` (a segment)."""
    anonymous: Literal["cookie", "control", "outside"] = "cookie"
    """Users without a key: known again by a random name in the cookie, always the control (uncounted), or
    not part of any experiment."""
    cookie: Cookie = field(default_factory=Cookie)
    """The cookie of visitors and of `sticky` experiments."""
    keys: list[str] = field(default_factory=list)
    """Sign cookies and testers' tokens: the first makes them, each is good for reading. 32 characters or
    more. Without keys there are no testers, and a client may choose its visitor's name."""
    testers: Testers = field(default_factory=Testers)
    """Who may choose a variant."""
    layers: dict[str, Layer] = field(default_factory=dict)
    """Earlier shares of layers; only where there were some."""
    jwt_provider: str = ""
    """The provider of Envoy's jwt_authn whose claims `claim:NAME` reads; no other provider's count."""

    def __post_init__(self) -> None:
        if not self.experiments:
            raise ValueError(
                "experiments is empty; write such as [{name: checkout, variants: {control: 90, v2: 10}}]"
            )
        for source in self.user:
            parse_source("user", source)
        if not self.user and self.anonymous != "cookie":
            raise ValueError(
                f"user is empty and anonymous is {self.anonymous}: nobody would be split; write such as "
                "user: [header:x-user-id], or anonymous: cookie"
            )
        if self.reads_claims and not self.jwt_provider:
            raise ValueError("jwt_provider is empty, but user reads claims; write the provider's name")
        if self.testers.cookie == self.cookie.name:
            raise ValueError(
                f"testers.cookie {self.testers.cookie!r} is the visitors' cookie; write another name"
            )
        self._check_names()
        self._check_layers()
        self._check_keys()

    @property
    def reads_claims(self) -> bool:
        """Whether claims of a token are needed."""
        return any(source.startswith("claim:") for source in self.user)

    def _check_names(self) -> None:
        seen: dict[str, str] = {}
        users = [source.lower() for source in self.user]
        for index, experiment in enumerate(self.experiments):
            if experiment.name in [other.name for other in self.experiments[:index]]:
                raise ValueError(
                    f"experiments[{index}].name {experiment.name!r} is there already; write another name"
                )
            header = experiment.routing_header
            if header in seen:
                raise ValueError(
                    f"experiments[{index}].header {header!r} is that of {seen[header]!r}; write another"
                )
            if header == self.testers.header.lower() or f"header:{header}" in users:
                raise ValueError(
                    f"experiments[{index}].header {header!r} is read for something else; write another"
                )
            seen[header] = experiment.name
        total = sum(len(experiment.variants) for experiment in self.experiments)
        if total > MOST_VARIANTS:
            raise ValueError(f"experiments have {total} variants together; write at most {MOST_VARIANTS}")

    def _check_layers(self) -> None:
        known = {experiment.layer for experiment in self.experiments}
        for name in self.layers:
            if name not in known:
                raise ValueError(f"layers.{name}: no experiment is in this layer; leave it out")
        for name in known - {""}:
            shares = {each.name: each.share for each in self.experiments if each.layer == name}
            check_sum(f"the shares in layer {name!r}", shares, whole=False)

    def _check_keys(self) -> None:
        for index, key in enumerate(self.keys):
            if len(key) < SHORTEST_KEY:
                raise ValueError(
                    f"keys[{index}] has {len(key)} characters; write {SHORTEST_KEY} or more, such as "
                    "`openssl rand -hex 32` makes"
                )
            if key in self.keys[:index]:
                raise ValueError(f"keys[{index}] is there already; keep one of them")
        sticky = [each for each in self.experiments if each.sticky]
        if sticky and not self.keys:
            raise ValueError(
                f"{sticky[0].name!r} is sticky, but keys is empty: anybody's cookie would choose; write keys"
            )
        room = OWN_PARTS + sum(len(each.name) + max(map(len, each.variants)) + 2 for each in sticky)
        if room + len(self.cookie.name) > LONGEST:
            raise ValueError(
                f"the cookie of {len(sticky)} sticky experiments would have {room} bytes; "
                f"browsers keep {LONGEST}: write shorter names, or fewer of them"
            )


def check_name(field: str, name: str) -> None:
    """A name that is fit for a header, a label and a cookie."""
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{field} {name!r}: write 1 to 64 lower case letters, digits, '-' or '_', such as 'new-cart'"
        )


def check_routing_header(field: str, name: str) -> None:
    """A header that a policy may take for its own."""
    if not TOKEN.fullmatch(name):
        raise ValueError(f"{field} {name!r} is no header's name; write such as 'x-ab-checkout'")
    if name in RESERVED or name.startswith(("x-envoy-", "x-forwarded-")):
        raise ValueError(f"{field} {name!r} has a meaning of its own; write such as 'x-ab-checkout'")
