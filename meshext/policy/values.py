"""What a value of each field must look like: Istio's own checks, and what Envoy would refuse after them.

Each check answers with what is wrong and what to write, or None.
"""

from __future__ import annotations

from collections.abc import Callable

from meshext.config.wording import shown
from meshext.policy.model import Field
from meshext.policy.patterns import ANY_SEGMENTS, LITERAL, ONE_SEGMENT, is_template, parse_block

LARGEST_PORT = 65_535
LONGEST_ACCOUNT = 320  # characters
MOST_ACCOUNTS = 16

Check = Callable[[str], str | None]


def check_value(field: Field, value: str) -> str | None:
    """What is wrong with a value of that field."""
    if value == "":
        return "is empty, which matches nothing; leave it out, or write '*' for any value"
    check = CHECKS.get(field)
    return None if check is None else check(value)


def check_port(value: str) -> str | None:
    """Digits, up to 65535 (Go's ParseUint)."""
    if value.isascii() and value.isdecimal() and int(value[:10]) <= LARGEST_PORT and len(value) <= 10:
        return None
    return f'{shown(value)} is not a port; write a number from 1 to {LARGEST_PORT} in quotes, such as "8080"'


def check_block(value: str) -> str | None:
    """An address or a CIDR block (Go's netip)."""
    try:
        parse_block(value)
    except ValueError as error:
        reason = str(error)
        why = reason if reason.startswith("has ") else "is not an IP address or CIDR block"
        return f'{shown(value)} {why}; write for example "10.0.0.0/8" or "2001:db8::1"'
    return None


def check_account(value: str) -> str | None:
    """`namespace/name`, or `name` in the policy's namespace."""
    if "*" in value:
        return f"{shown(value)} has a wildcard, which a service account has not; use principals"
    if len(value) > LONGEST_ACCOUNT:
        return f"is longer than {LONGEST_ACCOUNT} characters; write namespace/name"
    parts = value.split("/")
    if len(parts) > 2 or "" in parts:
        return f"{shown(value)} is not a service account; write namespace/name, or name alone"
    return None


def check_trust_domain(value: str) -> str | None:
    """No slash, and one `*` at most, at an end."""
    if "/" in value:
        return f"{shown(value)} holds a slash; write the trust domain alone, such as cluster.local"
    if value.count("*") > 1 or "*" in value[1:-1]:
        return f"{shown(value)} has more than one *, or one inside; write * at the start or at the end"
    return None


def check_path(value: str) -> str | None:
    """A template must be one that Envoy takes; other paths are free, but for braces."""
    templated = is_template(value)
    if templated and (not value.startswith("/") or "//" in value):
        return f"{shown(value)} is no template that Envoy takes; begin it with a single slash"
    ended = False
    for segment in value.strip("/").split("/"):
        if segment in (ONE_SEGMENT, ANY_SEGMENTS):
            if ended:
                return (
                    f"{shown(value)} goes on after {ANY_SEGMENTS}; {ANY_SEGMENTS} must be the last operator"
                )
            ended = segment == ANY_SEGMENTS
        elif "{" in segment or "}" in segment:
            return (
                f"{shown(value)} has {shown(segment)}; braces are for {ONE_SEGMENT} (one segment) and "
                f"{ANY_SEGMENTS} (any number), alone between slashes"
            )
        elif templated and not LITERAL.fullmatch(segment):
            return (
                f"{shown(value)} has the segment {shown(segment)}; in a template a segment is an operator or "
                "letters, digits and -._~%!$&'()+,;:@="
            )
    return None


CHECKS: dict[Field, Check] = {
    Field.PORTS: check_port,
    Field.IP_BLOCKS: check_block,
    Field.REMOTE_IP_BLOCKS: check_block,
    Field.DESTINATION_IP: check_block,
    Field.SERVICE_ACCOUNTS: check_account,
    Field.TRUST_DOMAINS: check_trust_domain,
    Field.PATHS: check_path,
}
"""Fields whose values have a form; the others take any text."""
