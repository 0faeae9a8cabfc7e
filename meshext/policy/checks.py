"""A term made ready: one class for each kind of input, built once for a configuration.

`holds` is the answer with the `not` twin considered, `seen` what the request had there, for people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from meshext.http.metadata import Json
from meshext.policy.facts import Facts
from meshext.policy.model import Field, Term
from meshext.policy.patterns import (
    SPIFFE,
    Account,
    Block,
    Glob,
    Strings,
    in_blocks,
    is_text,
)


@dataclass(frozen=True, slots=True)
class Check:
    """One term. Subclasses say what `match` means; without an input nothing matches, and a twin holds."""

    term: Term

    def holds(self, facts: Facts) -> bool:
        """Whether the request satisfies the term."""
        return self.match(facts) != self.term.negated

    def match(self, facts: Facts) -> bool:
        """Whether one of the values matches."""
        raise NotImplementedError

    def seen(self, facts: Facts) -> Json:
        """What the request had there; None where it had nothing."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class HostCheck(Check):
    """`hosts`: the authority without case, with its port."""

    strings: Strings

    def match(self, facts: Facts) -> bool:
        """Any host at all for `*`."""
        return self.strings.present or self.strings.match(facts.folded_host)

    def seen(self, facts: Facts) -> Json:
        """The authority."""
        return facts.host


@dataclass(frozen=True, slots=True)
class MethodCheck(Check):
    """`methods`, with case."""

    strings: Strings

    def match(self, facts: Facts) -> bool:
        """Any method for `*`."""
        return self.strings.present or self.strings.match(facts.method)

    def seen(self, facts: Facts) -> Json:
        """The method."""
        return facts.method


@dataclass(frozen=True, slots=True)
class PathCheck(Check):
    """`paths`: the path without query."""

    strings: Strings
    templates: tuple[re.Pattern[str], ...]

    def match(self, facts: Facts) -> bool:
        """A string form or a template."""
        path = facts.path
        if self.strings.match(path) or (self.strings.present and is_text(path)):
            return True
        return any(template.fullmatch(path) is not None for template in self.templates)

    def seen(self, facts: Facts) -> Json:
        """The path without query."""
        return facts.path


@dataclass(frozen=True, slots=True)
class PortCheck(Check):
    """`ports` and `destination.port`."""

    ports: frozenset[int]

    def match(self, facts: Facts) -> bool:
        """The port that the client connected to."""
        return facts.destination_port in self.ports

    def seen(self, facts: Facts) -> Json:
        """That port."""
        return facts.destination_port


@dataclass(frozen=True, slots=True)
class PrincipalCheck(Check):
    """`principals`: written without `spiffe://`, compared with the SPIFFE URI of the certificate."""

    strings: Strings

    def match(self, facts: Facts) -> bool:
        """A suffix does not reach into `spiffe://`."""
        principal = facts.principal
        if principal is None:
            return False
        strings = self.strings
        if strings.present or principal in strings.exact or principal.startswith(strings.prefixes):
            return True
        return principal.startswith(SPIFFE) and principal[len(SPIFFE) :].endswith(strings.suffixes)

    def seen(self, facts: Facts) -> Json:
        """The identity that the certificate proves."""
        return facts.principal


@dataclass(frozen=True, slots=True)
class NamespaceCheck(Check):
    """`namespaces`: a part of the principal."""

    globs: tuple[Glob, ...]

    def match(self, facts: Facts) -> bool:
        """Whether the principal holds `/ns/<namespace>/`."""
        principal = facts.principal
        return principal is not None and any(glob.found_in(principal) for glob in self.globs)

    def seen(self, facts: Facts) -> Json:
        """The identity that the certificate proves."""
        return facts.principal


@dataclass(frozen=True, slots=True)
class AccountCheck(Check):
    """`serviceAccounts`: a part of the principal."""

    accounts: tuple[Account, ...]

    def match(self, facts: Facts) -> bool:
        """Whether the principal is of one of the accounts."""
        principal = facts.principal
        return principal is not None and any(account.found_in(principal) for account in self.accounts)

    def seen(self, facts: Facts) -> Json:
        """The identity that the certificate proves."""
        return facts.principal


@dataclass(frozen=True, slots=True)
class TrustDomainCheck(Check):
    """`trustDomains`: what the principal begins with."""

    prefixes: tuple[str, ...]
    regexes: tuple[re.Pattern[str], ...]

    def match(self, facts: Facts) -> bool:
        """A whole trust domain, or one with a wildcard."""
        principal = facts.principal
        if principal is None:
            return False
        if principal.startswith(self.prefixes):
            return True
        return any(regex.fullmatch(principal) is not None for regex in self.regexes)

    def seen(self, facts: Facts) -> Json:
        """The identity that the certificate proves."""
        return facts.principal


@dataclass(frozen=True, slots=True)
class AddressCheck(Check):
    """`ipBlocks` (the direct peer), `remoteIpBlocks` (the client Envoy trusts), `destination.ip`."""

    blocks: tuple[Block, ...]

    def match(self, facts: Facts) -> bool:
        """Whether the address lies in a block."""
        return in_blocks(facts.address(self._text(facts)), self.blocks)

    def seen(self, facts: Facts) -> Json:
        """The address."""
        return self._text(facts) or None

    def _text(self, facts: Facts) -> str:
        if self.term.field is Field.IP_BLOCKS:
            return facts.peer_address
        if self.term.field is Field.REMOTE_IP_BLOCKS:
            return facts.client_address
        return facts.destination_address


@dataclass(frozen=True, slots=True)
class HeaderCheck(Check):
    """`request.headers[name]`: each value of a repeated header on its own."""

    name: str
    strings: Strings

    def match(self, facts: Facts) -> bool:
        """Presence, even empty, for `*`; else any value."""
        values = facts.header(self.name)
        if self.strings.present and values:
            return True
        return any(self.strings.match(value) for value in values)

    def seen(self, facts: Facts) -> Json:
        """The value, or all of them."""
        values = facts.header(self.name)
        return None if not values else values[0] if len(values) == 1 else list(values)


@dataclass(frozen=True, slots=True)
class SniCheck(Check):
    """`connection.sni`, which Envoy gives in lower case."""

    strings: Strings

    def match(self, facts: Facts) -> bool:
        """Not empty for `*`."""
        return match_text(self.strings, facts.sni)

    def seen(self, facts: Facts) -> Json:
        """The server name that the client asked for."""
        return facts.sni or None


@dataclass(frozen=True, slots=True)
class ClaimCheck(Check):
    """`request.auth.claims[...]`, `.audiences`, `.presenter`: a text, or a list with such a text."""

    path: tuple[str, ...]
    strings: Strings

    def match(self, facts: Facts) -> bool:
        """Only text matches; numbers, booleans and lists within lists do not."""
        value = facts.claim(self.path)
        if isinstance(value, list):
            return any(isinstance(item, str) and match_text(self.strings, item) for item in value)
        return isinstance(value, str) and match_text(self.strings, value)

    def seen(self, facts: Facts) -> Json:
        """The claim."""
        return facts.claim(self.path)


@dataclass(frozen=True, slots=True)
class RequestPrincipalCheck(Check):
    """`requestPrincipals`: issuer and subject of the token, each with its own form."""

    pairs: tuple[tuple[Strings, Strings], ...]

    def match(self, facts: Facts) -> bool:
        """Both must be text."""
        issuer, subject = facts.claim(("iss",)), facts.claim(("sub",))
        if not isinstance(issuer, str) or not isinstance(subject, str):
            return False
        return any(match_text(iss, issuer) and match_text(sub, subject) for iss, sub in self.pairs)

    def seen(self, facts: Facts) -> Json:
        """`issuer/subject` where the token has both."""
        issuer, subject = facts.claim(("iss",)), facts.claim(("sub",))
        return None if issuer is None else f"{issuer}/{'' if subject is None else subject}"


@dataclass(frozen=True, slots=True)
class MetadataCheck(Check):
    """`experimental.envoy.filters.<filter>[key]`: text; in brackets, text in a list."""

    texts: Strings
    items: Strings

    def match(self, facts: Facts) -> bool:
        """A list is asked for by `[value]` only."""
        value = facts.metadatum(self.term.key[0], self.term.key[1])
        if isinstance(value, list):
            return any(isinstance(item, str) and match_text(self.items, item) for item in value)
        return isinstance(value, str) and match_text(self.texts, value)

    def seen(self, facts: Facts) -> Json:
        """What the filter wrote there."""
        return facts.metadatum(self.term.key[0], self.term.key[1])


def match_text(strings: Strings, value: str) -> bool:
    """A string form, or presence in the sense of `.+`."""
    return strings.match(value) or (strings.present and is_text(value))
