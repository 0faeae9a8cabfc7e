"""Frozen data that is pickled by the thousand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TypeVar

_T = TypeVar("_T")


def soon_read(cls: type[_T]) -> type[_T]:
    """A frozen dataclass with slots whose instances are read in a third of the time: what `dataclass` gives
    it for that asks for the names of its fields for each of them."""
    writers = [getattr(cls, each.name).__set__ for each in fields(cls)]  # type: ignore[arg-type]

    def __setstate__(self: _T, state: Sequence[object]) -> None:  # noqa: N807  # pickle's name for it
        for write, value in zip(writers, state, strict=True):
            write(self, value)

    setattr(cls, "__setstate__", __setstate__)  # noqa: B010  # a type checker takes no assignment
    return cls
