"""W3C Trace Context: which trace a request belongs to, read and written as the recommendation has it.

https://www.w3.org/TR/trace-context/ (level 1): `traceparent` in section 3.2, `tracestate` in 3.3, what to do
with broken ones in 4.3. Of level 2 the random flag is known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LENGTH = 55  # characters of a traceparent of version 00
SAMPLED, RANDOM = 1, 2
KNOWN_FLAGS = SAMPLED | RANDOM
MOST_MEMBERS = 32  # of a tracestate
LONGEST_KEY = 256  # characters
LONGEST_TENANT, LONGEST_SYSTEM = 241, 14
LONGEST_VALUE = 256
NO_TRACE, NO_SPAN = "0" * 32, "0" * 16

HEX = re.compile("[0-9a-f]+")
SIMPLE_KEY = re.compile("[a-z][a-z0-9_*/-]*")
TENANT = re.compile("[a-z0-9][a-z0-9_*/-]*")
VALUE = re.compile("[ -+\\--<>-~]*[!-+\\--<>-~]")  # printable ASCII without comma and equals sign


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Where in a trace a request is: `trace_id` 32 and `span_id` 16 lower case hexadecimal digits."""

    trace_id: str
    span_id: str
    flags: int

    @property
    def sampled(self) -> bool:
        """Whether the caller records this trace."""
        return self.flags & SAMPLED == SAMPLED

    def to_traceparent(self) -> str:
        """The header, in version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"


def parse_traceparent(lines: Sequence[str]) -> TraceContext | None:
    """The context that the header's lines carry; None where they are not exactly one valid traceparent.

    A later version than 00 is read as far as 00 goes (section 3.2.4), and what follows is left out.
    """
    if len(lines) != 1:
        return None
    text = lines[0].strip(" \t")
    if len(text) < LENGTH or (text[2], text[35], text[52]) != ("-", "-", "-"):
        return None
    version, trace_id, span_id, flags = text[:2], text[3:35], text[36:52], text[53:55]
    if version == "ff" or (len(text) > LENGTH and (version == "00" or text[LENGTH] != "-")):
        return None
    if HEX.fullmatch(version + trace_id + span_id + flags) is None:
        return None
    if trace_id == NO_TRACE or span_id == NO_SPAN:
        return None
    return TraceContext(trace_id, span_id, int(flags, 16) & KNOWN_FLAGS)


def is_tracestate(lines: Sequence[str]) -> bool:
    """Whether the header's lines are one valid list; one that is not is dropped whole (section 3.3.1.1).

    Lines are one list in their order. A key that is there twice is left as it is, as the tests of the
    recommendation allow.
    """
    members = [member for line in lines for each in line.split(",") if (member := each.strip(" \t"))]
    return len(members) <= MOST_MEMBERS and all(is_member(member) for member in members)


def is_member(member: str) -> bool:
    """Whether it is a `key=value` of a tracestate."""
    key, equals, value = member.partition("=")
    if not equals or len(value) > LONGEST_VALUE or VALUE.fullmatch(value) is None:
        return False
    tenant, at, system = key.partition("@")
    if not at:
        return len(key) <= LONGEST_KEY and SIMPLE_KEY.fullmatch(key) is not None
    return (
        len(tenant) <= LONGEST_TENANT
        and len(system) <= LONGEST_SYSTEM
        and TENANT.fullmatch(tenant) is not None
        and SIMPLE_KEY.fullmatch(system) is not None
    )
