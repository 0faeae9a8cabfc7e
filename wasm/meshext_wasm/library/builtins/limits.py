"""How much a compiled filter may use; what ends it when the step budget is used up.

The numbers are functions: memory is asked for before any module's body has run.
"""

from __future__ import annotations

from meshext_wasm.library.raw import nothrow, word


@nothrow
def callback_most() -> word:
    """Bytes that one callback may allocate; beyond it is MemoryError."""
    return word(0x2000000)


@nothrow
def failure_most() -> word:
    """Bytes more for what is done when a callback failed."""
    return word(0x40000)


@nothrow
def heap_most() -> word:
    """Bytes of heap in one VM."""
    return word(0x8000000)


@nothrow
def growth() -> word:
    """Bytes that callbacks leave behind, at least, before the heap is collected."""
    return word(0x100000)


@nothrow
def room_least() -> word:
    """Bytes, at least, that there are for one callback beyond where the heap is collected."""
    return word(0x40000)


class Exhausted:
    """The step budget is used up. No exception: nothing of the program runs for it or catches it."""
