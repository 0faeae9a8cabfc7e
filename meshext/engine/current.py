"""Which exchange, filter and hook is running: what every log line of a hook is marked with."""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple


class Current(NamedTuple):
    """The hook that is running; all empty outside of hooks."""

    request_id: str = ""
    filter: str = ""
    hook: str = ""


NOTHING = Current()
CURRENT: ContextVar[tuple[str, str, str]] = ContextVar("meshext_current", default=NOTHING)
"""The values of a `Current`: every hook sets it and few read it, and a plain tuple costs nothing to make."""
TRACE: ContextVar[str] = ContextVar("meshext_trace", default="")
"""The id of the trace that the exchange belongs to, 32 hexadecimal digits; "" where nobody traces."""


def current_hook() -> Current:
    """The hook that is running, in this context."""
    return Current._make(CURRENT.get())
