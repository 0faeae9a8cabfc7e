"""What every value can be asked, whatever its class: `object` and the functions behind the operators.

A class that does not know the other side of a comparison answers NotImplemented, as in CPython; the functions
here try both sides and end with CPython's answer or its TypeError.
"""

from __future__ import annotations

from typing import cast

from meshext_wasm.library.builtins.classes import qualified_name, type_name
from meshext_wasm.library.builtins.errors import (
    no_length,
    not_comparable,
    not_container,
    not_iterable,
    not_subscriptable,
)
from meshext_wasm.library.raw import (
    alternative,
    builtin,
    class_descriptor,
    class_is_below,
    class_of,
    int_is_small,
    int_small,
    load32,
    value_address,
    value_at,
    value_is,
    wide_slt,
    word,
)


@builtin("object")
class Object:
    """Root of the classes. Its methods, in this order, open the method table of every class."""

    def __eq__(self, other: object) -> bool:
        return True if value_is(self, other) else NotImplemented

    def __hash__(self) -> int:
        return int(class_of(self))

    def __repr__(self) -> str:
        return f"<{qualified_name(self)} object at 0x{int(value_address(self)):x}>"

    def __str__(self) -> str:
        return repr_of(self)

    def __bool__(self) -> bool:
        return True

    def __lt__(self, other: object) -> bool:
        return NotImplemented

    def __le__(self, other: object) -> bool:
        return NotImplemented

    def __gt__(self, other: object) -> bool:
        return NotImplemented

    def __ge__(self, other: object) -> bool:
        return NotImplemented

    def __format__(self, spec: str) -> str:
        if spec == "":
            return str_of(self)
        raise TypeError(f"unsupported format string passed to {type_name(self)}.__format__")

    def __len__(self) -> int:
        no_length(self)

    def __contains__(self, item: object) -> bool:
        not_container(self)

    def __getitem__(self, index: object) -> object:
        not_subscriptable(self)

    def __iter__(self) -> object:
        not_iterable(self)


def equal(left: object, right: object) -> bool:
    """`left == right`."""
    if int_is_small(left) and int_is_small(right):
        return value_is(left, right)
    if is_reflected_first(left, right):
        return equal_in_order(right, left)
    return equal_in_order(left, right)


def same_or_equal(left: object, right: object) -> bool:
    """How containers compare what they hold: the same object counts as equal, NaN included."""
    return value_is(left, right) or equal(left, right)


def equal_in_order(left: object, right: object) -> bool:
    """Ask the left side, then the right one, then whether they are the same."""
    answer = ask_equal(left, right)
    if answer is NotImplemented:
        answer = ask_equal(right, left)
    if answer is NotImplemented:
        return value_is(left, right)
    return truth(answer)


def ask_equal(left: object, right: object) -> object:
    """The answer of one side, which may be NotImplemented."""
    return left.__eq__(right)


def is_reflected_first(left: object, right: object) -> bool:
    """Whether the right side is asked first: its class is below that of the left one."""
    below, above = class_of(right), class_of(left)
    return below != above and class_is_below(below, above)


def less(left: object, right: object) -> bool:
    """`left < right`."""
    if int_is_small(left) and int_is_small(right):
        return wide_slt(int_small(cast(int, left)), int_small(cast(int, right)))
    if is_reflected_first(left, right):
        answer = ask_greater(right, left)
        if answer is NotImplemented:
            answer = ask_less(left, right)
    else:
        answer = ask_less(left, right)
        if answer is NotImplemented:
            answer = ask_greater(right, left)
    if answer is NotImplemented:
        not_comparable("<", left, right)
    return truth(answer)


def less_equal(left: object, right: object) -> bool:
    """`left <= right`."""
    if is_reflected_first(left, right):
        answer = ask_greater_equal(right, left)
        if answer is NotImplemented:
            answer = ask_less_equal(left, right)
    else:
        answer = ask_less_equal(left, right)
        if answer is NotImplemented:
            answer = ask_greater_equal(right, left)
    if answer is NotImplemented:
        not_comparable("<=", left, right)
    return truth(answer)


def greater(left: object, right: object) -> bool:
    """`left > right`."""
    if is_reflected_first(left, right):
        answer = ask_less(right, left)
        if answer is NotImplemented:
            answer = ask_greater(left, right)
    else:
        answer = ask_greater(left, right)
        if answer is NotImplemented:
            answer = ask_less(right, left)
    if answer is NotImplemented:
        not_comparable(">", left, right)
    return truth(answer)


def greater_equal(left: object, right: object) -> bool:
    """`left >= right`."""
    if is_reflected_first(left, right):
        answer = ask_less_equal(right, left)
        if answer is NotImplemented:
            answer = ask_greater_equal(left, right)
    else:
        answer = ask_greater_equal(left, right)
        if answer is NotImplemented:
            answer = ask_less_equal(right, left)
    if answer is NotImplemented:
        not_comparable(">=", left, right)
    return truth(answer)


def ask_less(left: object, right: object) -> object:
    """The answer of one side to `<`."""
    return cast(Object, left).__lt__(right)


def ask_less_equal(left: object, right: object) -> object:
    """The answer of one side to `<=`."""
    return cast(Object, left).__le__(right)


def ask_greater(left: object, right: object) -> object:
    """The answer of one side to `>`."""
    return cast(Object, left).__gt__(right)


def ask_greater_equal(left: object, right: object) -> object:
    """The answer of one side to `>=`."""
    return cast(Object, left).__ge__(right)


@alternative("hash")
def hash_of(value: object) -> int:
    """`hash(value)`."""
    return value.__hash__()


def truth(value: object) -> bool:
    """`bool(value)`."""
    if value is True or value is False:
        return value is True
    return cast(Object, value).__bool__()


@alternative("repr")
def repr_of(value: object) -> str:
    """`repr(value)`."""
    return value.__repr__()


def str_of(value: object) -> str:
    """`str(value)`."""
    if isinstance(value, str):
        return value
    return value.__str__()


@alternative("format")
def format_of(value: object, spec: str = "") -> str:
    """`format(value, spec)`."""
    return value.__format__(spec)


@alternative("len")
def length(value: object) -> int:
    """`len(value)`."""
    return cast(Object, value).__len__()


def contains(container: object, item: object) -> bool:
    """`item in container`."""
    return cast(Object, container).__contains__(item)


def item(container: object, index: object) -> object:
    """`container[index]`."""
    return cast(Object, container).__getitem__(index)


def iterator(value: object) -> object:
    """`iter(value)`."""
    return cast(Object, value).__iter__()


def class_name(cls: object) -> str:
    """The `__name__` of a class."""
    return value_at(load32(class_descriptor(cast(type, cls)) + word(8)))


def is_instance(value: object, cls: object) -> bool:
    """`isinstance(value, cls)` where the class, or a tuple of classes, is a value."""
    if isinstance(cls, tuple):
        for each in cls:
            if is_instance(value, each):
                return True
        return False
    return class_is_below(class_of(value), class_descriptor(cast(type, cls)))


def is_below(cls: object, above: object) -> bool:
    """Whether a class is another or below it."""
    return class_is_below(class_descriptor(cast(type, cls)), class_descriptor(cast(type, above)))


def type_of(value: object) -> object:
    """`type(value)`."""
    return value_at(load32(class_of(value) + word(28)))
