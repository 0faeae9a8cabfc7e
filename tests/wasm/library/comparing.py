"""What a call ends in, comparable with what CPython's own ends in."""

from collections.abc import Callable


def outcome(call: Callable[..., object], *args: object) -> tuple[type, object]:
    """The result with its type, or the exception with its text."""
    try:
        result = call(*args)
    except Exception as error:
        return type(error), str(error)
    return type(result), result
