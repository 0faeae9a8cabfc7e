"""How one value of a policy is compared with one value of a request.

`abc` is exact, `abc*` a prefix, `*abc` a suffix, `*` presence; a `*` elsewhere is itself. Presence means "not
empty" where Istio writes the regular expression `.+` for Envoy, which also wants text on a single line.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

SPIFFE = "spiffe://"
ONE_SEGMENT = "{*}"
ANY_SEGMENTS = "{**}"

LITERAL = re.compile(r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]+")
"""What a literal segment of a path template consists of (Istio's check, Envoy's `uri_template`)."""

_CHARACTERS = "a-zA-Z0-9\\-._~%!$&'()*+,;:@="  # what Envoy's operators take, see `template_regex`


@dataclass(frozen=True, slots=True)
class Strings:
    """Alternatives in every form that a text value has."""

    exact: frozenset[str]
    prefixes: tuple[str, ...]
    suffixes: tuple[str, ...]
    present: bool

    def match(self, value: str) -> bool:
        """Whether one alternative matches; presence is for the caller, who knows what it means there."""
        if value in self.exact:
            return True
        return value.startswith(self.prefixes) or value.endswith(self.suffixes)


def build_strings(values: tuple[str, ...]) -> Strings:
    """The alternatives of a text field."""
    exact: list[str] = []
    prefixes: list[str] = []
    suffixes: list[str] = []
    for value in values:
        if value == "*":
            continue
        if value.startswith("*"):
            suffixes.append(value[1:])
        elif value.endswith("*"):
            prefixes.append(value[:-1])
        else:
            exact.append(value)
    return Strings(frozenset(exact), tuple(prefixes), tuple(suffixes), "*" in values)


def is_text(value: str) -> bool:
    """Whether `.+` of RE2 matches the whole value: not empty, one line, UTF-8."""
    if value == "" or "\n" in value:
        return False
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)


def fold(text: str) -> str:
    """The text with ASCII letters in lower case and everything else as it is, as Envoy ignores case."""
    if text.isascii():
        return text.lower()
    return text.encode("utf-8", "surrogateescape").lower().decode("utf-8", "surrogateescape")


def is_template(path: str) -> bool:
    """Whether a path is a template."""
    return ONE_SEGMENT in path or ANY_SEGMENTS in path


def template_regex(template: str) -> re.Pattern[str]:
    """The regular expression of a checked path template.

    `{*}` takes the characters of one segment, `{**}` those of any number (and none); neither takes what is
    no character of a path (RFC 3986 `pchar`), such as `"`, `|` or bytes beyond ASCII.
    """
    parts = [
        {ONE_SEGMENT: f"[{_CHARACTERS}]+", ANY_SEGMENTS: f"[{_CHARACTERS}/]*"}.get(part, re.escape(part))
        for part in template.split("/")
    ]
    return re.compile("/".join(parts))


@dataclass(frozen=True, slots=True)
class Block:
    """An address block: version 4 or 6, its first and last address as numbers."""

    version: int
    first: int
    last: int


Address = tuple[int, int]
"""Version and number of an IP address."""


def parse_block(text: str) -> Block:
    """An address or CIDR block as Go's netip reads it; ValueError says what is wrong.

    Bits after the prefix are ignored. Refused: a netmask instead of a length, zones, leading zeros.
    """
    address, slash, length = text.partition("/")
    if "%" in text:
        raise ValueError("has a zone")
    parsed = ipaddress.ip_address(address)
    if not slash:
        return Block(parsed.version, int(parsed), int(parsed))
    if not (length.isascii() and length.isdecimal()) or (len(length) > 1 and length[0] == "0"):
        raise ValueError("has no prefix length in decimal")
    if int(length) > parsed.max_prefixlen:
        raise ValueError(f"has a prefix longer than {parsed.max_prefixlen} bits")
    network = ipaddress.ip_network(text, strict=False)
    return Block(network.version, int(network.network_address), int(network.broadcast_address))


def parse_address(text: str) -> Address | None:
    """An IP address of a request; None where there is none (a Unix socket)."""
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return parsed.version, int(parsed)


def in_blocks(address: Address | None, blocks: tuple[Block, ...]) -> bool:
    """Whether an address lies in one of the blocks; versions are never mixed."""
    if address is None:
        return False
    version, number = address
    return any(block.version == version and block.first <= number <= block.last for block in blocks)


@dataclass(frozen=True, slots=True)
class Glob:
    """Parts that must follow each other in a text; what lies between, before and after them is free."""

    parts: tuple[str, ...]

    def found_in(self, text: str) -> bool:
        """Whether the parts are there, in order."""
        at = 0
        for part in self.parts:
            found = text.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        return True


def namespace_glob(namespace: str) -> Glob:
    """Istio's `.*/ns/<namespace>/.*` on the principal, where `*` also crosses slashes."""
    return Glob(tuple(f"/ns/{namespace}/".split("*")))


@dataclass(frozen=True, slots=True)
class Account:
    """A service account in a principal: Istio's `spiffe://.+/ns/<namespace>/(.+/|)sa/<name>(/.+)?`.

    Further segments are tolerated. Searched and not matched as an expression, which would go back and forth.
    """

    namespace: str
    name: str

    def found_in(self, principal: str) -> bool:
        """Whether the principal is of this account."""
        if not principal.startswith(SPIFFE):
            return False
        before = f"/ns/{self.namespace}/"
        at = principal.find(before, len(SPIFFE) + 1)
        if at < 0:
            return False
        rest = principal[at + len(before) - 1 :]  # with the slash that ends the namespace
        account = f"/sa/{self.name}"
        found = rest.find(account)
        while found >= 0:
            after = rest[found + len(account) :]
            if found != 1 and (after == "" or (after[0] == "/" and len(after) > 1)):
                return True
            found = rest.find(account, found + 1)
        return False


def parse_account(account: str) -> Account:
    """The account of `namespace/name`."""
    namespace, _, name = account.partition("/")
    return Account(namespace, name)


def trust_domain_regex(domain: str) -> re.Pattern[str]:
    """A trust domain that begins or ends with `*`, on the principal."""
    parts = [re.escape(part) for part in domain.split("*")]
    return re.compile(rf"spiffe://{'[^/]*'.join(parts)}/.*")
