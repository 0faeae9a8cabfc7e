"""Objects as they are kept between builds: read when something of them is needed, which most are not."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field

from meshext_wasm.link.objects import LOCAL, WEAK, ObjectFile, Symbol


@dataclass(slots=True, eq=False)
class KeptObject:
    """An object, pickled, with what `defined_by` says of it."""

    source: str
    strong: dict[str, int]
    weak: dict[str, int]
    pickled: bytes
    made: list[ObjectFile] = field(default_factory=list)

    def read(self) -> ObjectFile:
        """The object; the same one whenever it is asked for."""
        if not self.made:
            self.made.append(pickle.loads(self.pickled))
        return self.made[0]

    def defined(self, name: str) -> tuple[ObjectFile, Symbol]:
        """The symbol that it defines, with the object."""
        number = self.strong[name] if name in self.strong else self.weak[name]
        return self.read(), self.read().symbols[number]


AnyObject = ObjectFile | KeptObject


def keep(found: ObjectFile) -> KeptObject:
    """An object to be kept."""
    return KeptObject(found.source, *defined_by(found), pickle.dumps(found, protocol=5))


def at_hand(found: AnyObject) -> KeptObject:
    """The same for one that is to be linked at once."""
    return (
        found if isinstance(found, KeptObject) else KeptObject(found.source, *defined_by(found), b"", [found])
    )


def defined_by(found: ObjectFile) -> tuple[dict[str, int], dict[str, int]]:
    """The numbers of the symbols that an object defines for others, by name: the strong ones, and the weak
    ones, which may stand in several objects."""
    strong: dict[str, int] = {}
    weak: dict[str, int] = {}
    for number, symbol in enumerate(found.symbols):
        if symbol.defined and symbol.name and not symbol.flags & LOCAL:
            (weak if symbol.flags & WEAK else strong).setdefault(symbol.name, number)
    return strong, weak
