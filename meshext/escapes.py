"""Whether a hook can put headers on the response: so that Envoy is asked for the response only where one can.

It can where it names `response_headers`, and where it lets the request out of its sight: handed to a
function, kept, closed over. What only reads and writes the request's own attributes can not. The answer to
a body can not ask for the response's headers any more (measured on Envoy 1.40), so this is told in advance.
"""

from __future__ import annotations

import dis
import inspect
from types import FunctionType

from meshext.needs import Hook

ADDS = "response_headers"
REQUEST_HOOKS = (Hook.ON_REQUEST, Hook.ON_REQUEST_BODY, Hook.ON_REQUEST_CHUNK, Hook.ON_REQUEST_TRAILERS)
AT_ATTRIBUTE = frozenset({"LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR"})


def may_add(cls: type) -> bool:
    """Whether any hook for the request can put headers on the response; True where that can not be told."""
    hooks = [getattr(cls, hook.value) for hook in REQUEST_HOOKS if hasattr(cls, hook.value)]
    return not all(isinstance(hook, FunctionType) and keeps_request(hook) for hook in hooks)


def keeps_request(hook: FunctionType) -> bool:
    """Whether a hook uses its request for nothing but attributes, and not for `response_headers`."""
    code = hook.__code__
    if code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS) or code.co_argcount < 2:
        return False
    name = code.co_varnames[1]
    if name in code.co_cellvars:
        return False
    steps = list(dis.get_instructions(code))
    return all(
        is_at_attribute(step, following, name)
        for step, following in zip(steps, [*steps[1:], None], strict=True)
        if step.argval == name or (isinstance(step.argval, tuple) and name in step.argval)
    )


def is_at_attribute(step: dis.Instruction, following: dis.Instruction | None, name: str) -> bool:
    """Whether what names the request loads it, last, for an attribute that is not `response_headers`."""
    if following is None or not step.opname.startswith("LOAD_FAST"):
        return False
    loaded = step.argval if isinstance(step.argval, tuple) else (step.argval,)
    if loaded[-1] != name or loaded.count(name) > 1:
        return False
    return following.opname in AT_ATTRIBUTE and following.argval != ADDS
