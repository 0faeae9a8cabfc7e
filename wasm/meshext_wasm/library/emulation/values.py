"""Python values as bits and addresses, budgets and guards, under CPython; see `raw`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from meshext_wasm.library.emulation import memory as emulated
from meshext_wasm.library.emulation.memory import EMULATION, array
from meshext_wasm.library.emulation.numbers import wide, word

T = TypeVar("T")


def value_is(left: object, right: object) -> bool:
    """Whether two values are the same 64 bits."""
    return left is right or EMULATION.bits(left) == EMULATION.bits(right)


def value_bits(value: object) -> wide:
    """The 64 bits of a value."""
    return wide(EMULATION.bits(value))


def value_from_bits(bits: wide) -> T:  # type: ignore[type-var]  # the type that is expected
    """The value of 64 bits."""
    return cast(T, EMULATION.from_bits(int(bits)))


def value_address(value: object) -> word:
    """Address of an object; not for small ints, None and bools."""
    return word(EMULATION.write(value))


def value_at(address: int) -> T:  # type: ignore[type-var]
    """The object at an address."""
    return cast(T, EMULATION.read(int(address)))


def value_is_pointer(value: object) -> bool:
    """Whether a value is an object in memory: no small int, None, bool or unset mark."""
    return not isinstance(value, bool | None | emulated.Unset) and not int_is_small(value)


def value_open(value: object) -> None:
    """Mark a container that nobody knows as one of narrower items; CPython's own need no mark."""


def value_is_open(value: object) -> bool:
    """Whether a container has the mark."""
    return True


def value_key(value: object) -> None:
    """Mark a dict whose keys are text; CPython's own need no mark."""


def value_is_keyed(value: object) -> bool:
    """Whether a dict has that mark."""
    return True


def int_is_small(value: object) -> bool:
    """Whether a value is an int of 63 bits; bools are not."""
    return type(value) is int and -emulated.SMALL <= value < emulated.SMALL


def int_small(value: int) -> wide:
    """The number of a small int, signed."""
    return wide(value)


def int_tag(value: wide) -> int:
    """The small int of a signed number that fits 63 bits."""
    return value.signed()


def class_of(value: object) -> word:
    """Address of the descriptor of a value's class."""
    return word(EMULATION.class_of(value))


def class_descriptor(cls: type) -> word:
    """Address of the descriptor of a class."""
    return word(EMULATION.descriptor(cls))


def class_is_below(descriptor: int, base: int) -> bool:
    """Whether a class is another or below it."""
    return issubclass(EMULATION.classes[int(descriptor)], EMULATION.classes[int(base)])


def array_new(descriptor: int, slots: int) -> T:  # type: ignore[type-var]
    """A new `array` or tuple, every slot None."""
    return cast(T, array(int(descriptor), cast(list[object], [None] * int(slots))))


def array_length(items: array[T] | tuple[T, ...]) -> word:
    """Number of slots."""
    return word(len(items.items if isinstance(items, array) else items))


def array_get(items: array[T] | tuple[T, ...], index: int) -> T:
    """One slot; the index is not checked."""
    return (items.items if isinstance(items, array) else items)[index]


def array_set(items: array[T] | tuple[T, ...], index: int, value: T) -> None:
    """Write one slot; the index is not checked."""
    if not isinstance(items, array):
        raise TypeError("a tuple is finished; write it before value_at")
    items.items[index] = value


def blob_new(descriptor: int, size: int) -> T:  # type: ignore[type-var]
    """A new blob with so many bytes after its header, not cleared."""
    return cast(T, emulated.Blob(EMULATION.blob(int(descriptor), b"\xaa" * int(size))))


def instance_new(descriptor: int) -> T:  # type: ignore[type-var]
    """A new instance, every slot unset."""
    cls = EMULATION.classes[int(descriptor)]
    return cast(T, object.__new__(cls))


def guard_call(body: Callable[[], T]) -> T | None:
    """Call; None when it failed, and `guard_taken` says by what."""
    EMULATION.taken = None
    try:
        return body()
    except (Exception, emulated.Exhausted) as error:
        EMULATION.taken = error
        return None


def guard_taken() -> object:
    """What the last `guard_call` ended with: an exception, Exhausted, or None."""
    return EMULATION.taken


def budget_set(steps: wide) -> None:
    """Steps from here on."""
    EMULATION.budget = steps.signed()


def budget_left() -> wide:
    """Steps that are left."""
    return wide(EMULATION.budget)


def budget_charge(steps: int) -> None:
    """Take steps for bulk work."""
    EMULATION.budget -= int(steps)
    if EMULATION.budget < 0:
        raise emulated.Exhausted


def stack_reset() -> None:
    """The stack is empty again."""


def trace_count() -> word:
    """Sites of the pending traceback; none here."""
    return word(0)


def trace_site(index: int) -> word:
    """Address of a site."""
    raise IndexError(index)
