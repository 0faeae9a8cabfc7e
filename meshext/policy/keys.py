"""The keys of `when` conditions: which there are, and what each looks at."""

from __future__ import annotations

import re

from meshext.config.wording import nearest
from meshext.policy.facts import PSEUDO
from meshext.policy.model import Field

SIMPLE: dict[str, tuple[Field, tuple[str, ...]]] = {
    "source.ip": (Field.IP_BLOCKS, ()),
    "remote.ip": (Field.REMOTE_IP_BLOCKS, ()),
    "source.namespace": (Field.NAMESPACES, ()),
    "source.serviceAccount": (Field.SERVICE_ACCOUNTS, ()),
    "source.principal": (Field.PRINCIPALS, ()),
    "source.trustDomain": (Field.TRUST_DOMAINS, ()),
    "request.auth.principal": (Field.REQUEST_PRINCIPALS, ()),
    "request.auth.audiences": (Field.CLAIMS, ("aud",)),
    "request.auth.presenter": (Field.CLAIMS, ("azp",)),
    "destination.ip": (Field.DESTINATION_IP, ()),
    "destination.port": (Field.PORTS, ()),
    "connection.sni": (Field.SNI, ()),
}
"""Keys without brackets."""

BRACKETED = ("request.headers[NAME]", "request.auth.claims[NAME]", "experimental.envoy.filters.FILTER[KEY]")
"""Keys with brackets, as messages show them."""

GONE = {
    "destination.namespace": "a policy applies in the namespace of its metadata",
    "destination.name": "it went with v1alpha1; choose workloads with spec.selector",
    "destination.user": "it went with v1alpha1; choose workloads with spec.selector",
    "destination.labels": "choose workloads with spec.selector",
}
"""Keys that Istio once had."""

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.6.2
_HEADER = re.compile(r"request\.headers\[(.*)\]", re.DOTALL)
_CLAIMS = re.compile(r"request\.auth\.claims((?:\[[^\[\]]+\])+)")
_METADATA = re.compile(r"experimental\.(envoy\.filters\.[^\[]+)\[(.+)\]", re.DOTALL)


class UnknownKey(ValueError):
    """A key that means nothing; the text says what to write."""


def parse_key(key: str) -> tuple[Field, tuple[str, ...]]:
    """What a key looks at, and the names in its brackets, a header's in lower case. Raises UnknownKey."""
    if key in SIMPLE:
        return SIMPLE[key]
    if found := _HEADER.fullmatch(key):
        return Field.HEADERS, (parse_header(found[1]),)
    if found := _CLAIMS.fullmatch(key):
        return Field.CLAIMS, tuple(found[1][1:-1].split("]["))
    if found := _METADATA.fullmatch(key):
        return Field.METADATA, (found[1], found[2])
    raise UnknownKey(explain_unknown(key))


def parse_header(name: str) -> str:
    """A header's name in lower case; a pseudo-header that Envoy has counts too."""
    lower = name.lower()
    if lower in PSEUDO or TOKEN.fullmatch(name):
        return lower
    raise UnknownKey(f"{name!r} is not the name of a header; write for example request.headers[x-role]")


def explain_unknown(key: str) -> str:
    """Why a key means nothing, and which was probably meant."""
    bare = key.partition("[")[0]
    if bare in GONE:
        return f"{key!r} is not supported any more: {GONE[bare]}"
    if bare == "request.experimental.inline.headers":
        return f"{key!r} is not supported, as it joins values; write request.headers[NAME]"
    for form in BRACKETED:
        if key.startswith(form.partition("[")[0]) or (
            form.startswith("exp") and bare.startswith("experimental")
        ):
            return f"{key!r} is not written right; write {form}"
    guess = nearest(key, SIMPLE)
    hint = f"did you mean {guess!r}? " if guess else ""
    return f"unknown key {key!r}; {hint}the keys are {', '.join([*SIMPLE, *BRACKETED])}"
