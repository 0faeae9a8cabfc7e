"""How much a compiled filter may use; what ends it when the step budget is used up."""

from __future__ import annotations

CALLBACK_MOST = 32 * 1024 * 1024
"""Bytes that one callback may allocate; beyond it is MemoryError."""
FAILURE_MOST = 256 * 1024
"""Bytes more for what is done when a callback failed."""
HEAP_MOST = 128 * 1024 * 1024
"""Bytes of heap in one VM."""
GROWTH = 1024 * 1024
"""Bytes that callbacks leave behind before the heap is collected."""


class Exhausted:
    """The step budget is used up. No exception: nothing of the program runs for it or catches it."""
