"""What is done with a value that is annotated `Any`: it is asked what it is.

The containers of the library take any key and any index, and say themselves what is wrong with one. A class
of the program has a method for the type that it names, so its instances are refused here.
"""

from __future__ import annotations

from meshext_wasm.library.builtins.classes import type_name
from meshext_wasm.library.builtins.errors import type_error, unexpected_type
from meshext_wasm.library.builtins.iteration import Iterator
from meshext_wasm.library.builtins.objects import item, iterator


def item_of(value: object, key: object) -> object:
    """`value[key]`."""
    if not isinstance(value, dict | list | tuple | str | bytes | set | frozenset | int | float | None):
        unexpected_type("dict, list, tuple, str or bytes", value)
    return item(value, key)


def iterator_of(value: object) -> Iterator[object]:
    """`iter(value)`."""
    found = iterator(value)
    if not isinstance(found, Iterator):
        unexpected_type("dict, list, tuple, set, str or bytes", value)
    return found


def int_of(value: object) -> int:
    """`int(value)`."""
    if isinstance(value, str):
        return int(value)
    if isinstance(value, bytes):
        return int(value)
    if not isinstance(value, int | float):
        wanted = "a string, a bytes-like object or a real number"
        type_error(f"int() argument must be {wanted}, not '{type_name(value)}'")
    return int(value)


def float_of(value: object) -> float:
    """`float(value)`."""
    if isinstance(value, str):
        return float(value)
    if isinstance(value, bytes):
        return float(value)
    if not isinstance(value, int | float):
        type_error(f"float() argument must be a string or a real number, not '{type_name(value)}'")
    return float(value)
