"""Many values by name of which few are wanted: each is pickled by itself, and made when it is asked for."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class Packed(Mapping[str, _T], Generic[_T]):
    """A mapping that can be read. A value is the same object whenever it is asked for; what it shares with
    other values before they are packed, each has of its own afterwards."""

    pickles: dict[str, bytes]
    made: dict[str, _T] = field(default_factory=dict)

    def __getitem__(self, name: str) -> _T:
        found = self.made.get(name)
        if found is None:
            found = self.made[name] = pickle.loads(self.pickles[name])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.pickles)

    def __len__(self) -> int:
        return len(self.pickles)

    def __contains__(self, name: object) -> bool:
        return name in self.pickles


def pack(values: Mapping[str, _T]) -> Packed[_T]:
    """Values by name, packed."""
    return Packed({name: pickle.dumps(each, protocol=5) for name, each in values.items()})
