"""What is done with a value that is annotated `Any`: it is asked what it is.

The containers of the library take any key and any index, and say themselves what is wrong with one. A class
of the program has a method for the type that it names, so its instances are refused here.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshext_wasm.library.builtins.classes import type_name
from meshext_wasm.library.builtins.errors import type_error, unexpected_type
from meshext_wasm.library.builtins.iteration import Iterator, Mapping
from meshext_wasm.library.builtins.objects import is_instance, item, iterator
from meshext_wasm.library.raw import value_is_keyed, value_is_open


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


def check_open(value: object, wanted: str) -> None:
    """TypeError for a list or dict that somebody may know as one of narrower items."""
    if isinstance(value, list | dict) and not value_is_open(value):
        name = type_name(value)
        reason = f"a {name} that may be known as one of narrower items; copy it: {name}(...)"
        type_error(f"expected {wanted}, got {reason}")


def check_keyed(value: object, wanted: str) -> None:
    """TypeError for a mapping whose keys may be other than text, as far as somebody else knows."""
    if isinstance(value, dict):
        if value_is_keyed(value):
            return
    elif not isinstance(value, Mapping):
        return
    name = type_name(value)
    type_error(f"expected {wanted}, got a {name} that may be known as one of other keys; copy it: dict(...)")


def check_key(value: dict[object, object], key: object) -> None:
    """TypeError where a key is put into a dict which somebody may know as one of text."""
    if value_is_keyed(value):
        text_key(key)


def check_keys_put(value: dict[object, object]) -> None:
    """The same where many keys are, of which nothing is known."""
    if value_is_keyed(value):
        name = type_name(value)
        type_error(f"a {name} that may be known as one of keys that are text takes no others; copy it first")


def set_item(value: object, key: object, item: object) -> None:
    """`value[key] = item`."""
    check_open(value, "dict[str, Any] or list[Any]")
    if isinstance(value, dict):
        value[text_key(key)] = item
    elif isinstance(value, list):
        value[place(key)] = item
    else:
        type_error(f"'{type_name(value)}' object does not support item assignment")


def delete_item(value: object, key: object) -> None:
    """`del value[key]`."""
    if isinstance(value, dict):
        del value[key]
    elif isinstance(value, list):
        del value[place(key)]
    else:
        type_error(f"'{type_name(value)}' object doesn't support item deletion")


def text_key(key: object) -> str:
    """A key of a dict that nobody knows as one of other keys than text."""
    if not isinstance(key, str):
        unexpected_type("str as a key", key)
    return key


def place(key: object) -> int:
    """An index of a list."""
    if not isinstance(key, int):
        type_error(f"list indices must be integers or slices, not {type_name(key)}")
    return key


def check_items(values: Iterable[object], classes: object, wanted: str) -> None:
    """TypeError for an item of none of the classes."""
    for each in values:
        if not is_instance(each, classes):
            unexpected_type(wanted, each)


def check_keys(values: dict[object, object], classes: object, wanted: str) -> None:
    """The same for the keys of a dict."""
    check_items(values, classes, wanted)


def check_values(values: dict[object, object], classes: object, wanted: str) -> None:
    """And for its values."""
    check_items(values.values(), classes, wanted)


def check_names(values: dict[object, object], names: tuple[str, ...], called: str) -> None:
    """TypeError for a key of `called(**values)` that is no parameter."""
    for each in values:
        if not isinstance(each, str):
            type_error("keywords must be strings")
        if each not in names:
            type_error(f"{called}() got an unexpected keyword argument '{each}'")


def is_named(values: dict[object, object], name: str) -> bool:
    """Whether there is an argument of that name."""
    return name in values


def named(values: dict[object, object], name: str, called: str) -> object:
    """The argument of that name."""
    if name not in values:
        type_error(f"{called}() missing 1 required positional argument: '{name}'")
    return values[name]
