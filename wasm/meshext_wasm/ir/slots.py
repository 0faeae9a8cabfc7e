"""How large the instances of a class are."""

from __future__ import annotations

from meshext_wasm.tree.program import Class


def count_slots(cls: Class | None) -> int:
    """Slots of an instance, those of the base classes included."""
    slots = 0
    while cls is not None:
        slots = max([slots, *(each.index + 1 for each in cls.fields)])
        cls = cls.base
    return slots
