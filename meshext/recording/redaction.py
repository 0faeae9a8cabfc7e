"""Values that are not kept: which headers, and what stands in their place."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import replace
from typing import NoReturn

from meshext.engine.current import current_hook
from meshext.errors import OptionError
from meshext.http.headers import Lines
from meshext.http.legal import FRAMING, TOKEN
from meshext.http.parts import HeaderChange
from meshext.recording.exchange import Change, Decision, Message, Recorded

ALWAYS = ("authorization", "cookie", "proxy-authorization", "set-cookie")
"""Headers that are redacted without being named."""

MARKER = b"<redacted>"
REQUEST_ID = "x-request-id"

READS: ContextVar[set[tuple[str, str]] | None] = ContextVar("meshext_redacted_reads", default=None)
"""Who read a redacted value: filter and header; None where nobody asks."""


class Redacted(bytes):
    """Stands for a value that is not in the recording; remembers in `READS` which filter read it."""

    name: str

    def __new__(cls, name: str) -> Redacted:
        """The marker in the place of a value of that header."""
        made = super().__new__(cls, MARKER)
        made.name = name
        return made

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The marker as text, which is how filters read values."""
        reads = READS.get()
        current = current_hook()
        if reads is not None and current.filter:
            reads.add((current.filter, self.name))
        return super().decode(encoding, errors)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a redacted value is not copied")


def check_redacted(names: Iterable[str]) -> tuple[str, ...]:
    """The names in lower case and those that are always redacted; OptionError where one is no header's."""
    asked = [name.strip().lower() for name in names]
    for name in asked:
        if not TOKEN.fullmatch(name) or name in FRAMING:
            raise OptionError(
                f"--redact {name!r} names no header whose value can be left out; write one such as "
                "x-api-key (the request line and bodies are never redacted)"
            )
    return tuple(sorted({*ALWAYS, *asked}))


def redact_lines(lines: Lines, names: frozenset[str]) -> Lines:
    """The lines, with those values left out."""
    if not any(name in names for name, _ in lines):
        return lines
    return tuple((name, Redacted(name) if name in names else value) for name, value in lines)


def redact_change(change: HeaderChange, names: frozenset[str]) -> HeaderChange:
    """The change, with those values left out."""
    if not any(name in names for name, _ in change.replace):
        return change
    replace = tuple(
        (name, tuple(Redacted(name) if name in names else value for value in values))
        for name, values in change.replace
    )
    return HeaderChange(change.remove, replace)


def redact_message(message: Message, names: frozenset[str]) -> Message:
    """The message without the values of those headers, in its trailers too."""
    trailers = message.trailers
    return replace(
        message,
        lines=redact_lines(message.lines, names),
        trailers=None if trailers is None else redact_lines(trailers, names),
    )


def redact_decision(decision: Decision, names: frozenset[str]) -> Decision:
    """The decision without those values."""

    def hide(change: Change) -> Change:
        headers, trailers = redact_change(change.headers, names), redact_change(change.trailers, names)
        return replace(change, headers=headers, trailers=trailers)

    answer = decision.answer
    return replace(
        decision,
        request=hide(decision.request),
        response=hide(decision.response),
        additions=tuple((redact_lines(lines, names), replaced) for lines, replaced in decision.additions),
        answer=answer and replace(answer, lines=redact_lines(answer.lines, names)),
    )


def redact(recorded: Recorded, names: frozenset[str]) -> Recorded:
    """The exchange without the values of those headers."""
    return replace(
        recorded,
        request_id="" if REQUEST_ID in names else recorded.request_id,
        request=redact_message(recorded.request, names),
        response=recorded.response and redact_message(recorded.response, names),
        decision=redact_decision(recorded.decision, names),
    )
