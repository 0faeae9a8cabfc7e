"""Questions about the class of any value."""

from __future__ import annotations

from meshext_wasm.library.raw import class_descriptor, class_of, load32, value_at, word


def type_name(value: object) -> str:
    """The name of a value's class, as in CPython's messages."""
    return value_at(load32(class_of(value) + word(8)))


def is_exactly(value: object, cls: type) -> bool:
    """Whether a value's class is this one and not one below it."""
    return class_of(value) == class_descriptor(cls)


def same_class(left: object, right: object) -> bool:
    """Whether both values are of exactly the same class."""
    return class_of(left) == class_of(right)


def qualified_name(value: object) -> str:
    """The name of a value's class with its module."""
    return value_at(load32(class_of(value) + word(20)))
