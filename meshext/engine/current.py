"""Which exchange, filter and hook is running: what every log line of a hook is marked with."""

from __future__ import annotations

from contextvars import ContextVar
from functools import partial
from typing import NamedTuple


class Current(NamedTuple):
    """The hook that is running; all empty outside of hooks."""

    request_id: str = ""
    filter: str = ""
    hook: str = ""


NOTHING = Current()
at_hook = partial(tuple.__new__, Current)
"""A `Current` of its three values; its own `__new__` is a call in Python, and every hook needs one."""
CURRENT: ContextVar[Current] = ContextVar("meshext_current", default=NOTHING)
TRACE: ContextVar[str] = ContextVar("meshext_trace", default="")
"""The id of the trace that the exchange belongs to, 32 hexadecimal digits; "" where nobody traces."""
