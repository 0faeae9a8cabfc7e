"""Where in the filter's code an exception came from, in CPython's words."""

from meshext_wasm.library.builtins.classes import type_name
from meshext_wasm.library.raw import load32, trace_count, trace_site, value_at, word


def describe_error(error: Exception) -> str:
    """`ValueError: text`, or the name alone where there is no text."""
    text = str(error)
    if text:
        return f"{type_name(error)}: {text}"
    return type_name(error)


def format_sites() -> str:
    """The sites of the last exception, the innermost last; "" where there are none."""
    count = int(trace_count())
    if count == 0:
        return ""
    pieces: list[str] = ["\nTraceback (most recent call last):"]
    for index in range(count - 1, -1, -1):
        site = trace_site(word(index))
        function = text_at(load32(site))
        file = text_at(load32(site + word(4)))
        line = int(load32(site + word(8)))
        pieces.append(f'\n  File "{file}", line {line}, in {function}')
    return "".join(pieces)


def text_at(address: word) -> str:
    """The str object at an address."""
    return value_at(address)
