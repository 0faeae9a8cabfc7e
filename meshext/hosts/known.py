"""What was made of short things that came before, since most of them come again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

SHORT = 96  # bytes of what is kept
MOST = 2048  # of them


class Known(dict[K, V]):
    """What `make` made of each key, as long as it is short; look up with `[]`.

    `size` is how many bytes a key has, or what was made of it. When it is full it begins anew: to know which
    one was used last, as an `lru_cache` does, costs more at every look than to make some again.
    """

    __slots__ = ("_make", "_size")

    def __init__(self, make: Callable[[K], V], size: Callable[[K, V], int]) -> None:
        super().__init__()
        self._make = make
        self._size = size

    def __missing__(self, key: K) -> V:
        made = self._make(key)
        if self._size(key, made) <= SHORT:
            if len(self) >= MOST:
                self.clear()
            self[key] = made
        return made
