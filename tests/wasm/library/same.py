"""Whether two ways to compute something agree, failures included."""

from __future__ import annotations

from collections.abc import Callable


def outcome(body: Callable[..., object], *args: object) -> tuple[object, ...]:
    """The value with its class, or the exception's class and text."""
    try:
        value = body(*args)
    except Exception as error:
        return "raises", type(error).__name__, str(error)
    return "gives", type(value).__name__.lower(), repr(value)


def assert_same(ours: Callable[..., object], real: Callable[..., object], *args: object) -> None:
    """Both give the same value, or raise the same with the same text."""
    assert outcome(ours, *args) == outcome(real, *args)
