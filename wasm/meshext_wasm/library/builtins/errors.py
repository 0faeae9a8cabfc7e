"""Raising the built-in exceptions with the texts of CPython 3.11."""

from __future__ import annotations

from typing import NoReturn

from meshext_wasm.library.builtins.classes import type_name


def unbound_local(name: str) -> NoReturn:
    """A local variable is read before it has a value."""
    raise UnboundLocalError(f"cannot access local variable '{name}' where it is not associated with a value")


def unbound_free(name: str) -> NoReturn:
    """A variable of an enclosing function is read before it has a value."""
    raise NameError(
        f"cannot access free variable '{name}' where it is not associated with a value in enclosing scope"
    )


def unbound_global(name: str) -> NoReturn:
    """A variable of a module is read before it has a value."""
    raise NameError(f"name '{name}' is not defined")


def unset_attribute(instance: object, name: str) -> NoReturn:
    """A field of an instance is read before it has a value."""
    raise AttributeError(f"'{type_name(instance)}' object has no attribute '{name}'")


def unhashable(value: object) -> NoReturn:
    """A value whose class has no hash is hashed."""
    raise TypeError(f"unhashable type: '{type_name(value)}'")


def recursion() -> NoReturn:
    """Calls nest deeper than the stack allows."""
    raise RecursionError("maximum recursion depth exceeded")


def type_error(text: str) -> NoReturn:
    """Any other TypeError."""
    raise TypeError(text)


def unexpected_type(wanted: str, value: object) -> NoReturn:
    """An item of a container of unknown items is not what the program takes it for."""
    raise TypeError(f"expected {wanted}, got {type_name(value)}")


def value_error(text: str) -> NoReturn:
    """Any other ValueError."""
    raise ValueError(text)


def index_error(text: str) -> NoReturn:
    """Any IndexError."""
    raise IndexError(text)


def unsupported_binary(operator: str, left: object, right: object) -> NoReturn:
    """Neither side knows the operator."""
    raise TypeError(
        f"unsupported operand type(s) for {operator}: '{type_name(left)}' and '{type_name(right)}'"
    )


def unsupported_unary(operator: str, value: object) -> NoReturn:
    """The value does not know the operator."""
    raise TypeError(f"bad operand type for unary {operator}: '{type_name(value)}'")


def not_comparable(operator: str, left: object, right: object) -> NoReturn:
    """Neither side knows the order."""
    raise TypeError(
        f"'{operator}' not supported between instances of '{type_name(left)}' and '{type_name(right)}'"
    )


def not_iterable(value: object) -> NoReturn:
    """A value that is no iterable is iterated."""
    raise TypeError(f"'{type_name(value)}' object is not iterable")


def not_subscriptable(value: object) -> NoReturn:
    """A value that has no items is asked for one."""
    raise TypeError(f"'{type_name(value)}' object is not subscriptable")


def not_container(value: object) -> NoReturn:
    """`in` over a value that contains nothing."""
    raise TypeError(f"argument of type '{type_name(value)}' is not iterable")


def no_length(value: object) -> NoReturn:
    """`len` of a value that has none."""
    raise TypeError(f"object of type '{type_name(value)}' has no len()")


def too_few_values(expected: int, got: int, at_least: bool) -> NoReturn:
    """Unpacking found too little; `at_least` where a starred name takes the rest."""
    wanted = f"at least {expected}" if at_least else f"{expected}"
    raise ValueError(f"not enough values to unpack (expected {wanted}, got {got})")


def too_many_values(expected: int) -> NoReturn:
    """Unpacking found more than it has names for."""
    raise ValueError(f"too many values to unpack (expected {expected})")


def cannot_unpack(value: object) -> NoReturn:
    """A value that is no iterable is unpacked."""
    raise TypeError(f"cannot unpack non-iterable {type_name(value)} object")


def bad_index(container: str, index: object) -> NoReturn:
    """A sequence is asked for an item by a value that is no int: `list`, `tuple` or `range`, or `byte`."""
    name = type_name(index)
    if container == "string":
        raise TypeError(f"string indices must be integers, not '{name}'")
    raise TypeError(f"{container} indices must be integers or slices, not {name}")


def wrong_argument(function: str, wanted: str, value: object) -> NoReturn:
    """A built-in function got an argument of the wrong class."""
    raise TypeError(f"{function} must be {wanted}, not {type_name(value)}")
