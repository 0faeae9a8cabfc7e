"""Tables of methods in the descriptors of classes: which of their places must be filled.

A place is filled where the class may have an instance, which some code or datum that lives makes, and where
something that lives calls the method of a class above by that place. The rest would only be weight: every
`repr` of the library, with Unicode's tables behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from meshext_wasm.link.objects import Code, ObjectFile, Relocation, Segment

CLASS = "class:"
"""How the symbol of a descriptor begins."""
TESTED = "tested:"
"""How another symbol of the same descriptor begins, by which nothing is made: for `isinstance`."""
METHOD = "method:"
"""How a symbol begins whose address is the offset of a method's place in a descriptor; the number of the
place and the class that introduced the method follow, with a colon between them."""
CLASS_SEGMENT = ".rodata.class:"
DISPLAY_SEGMENT = ".rodata.display:"
DISPLAY, TABLE = 4, 32
"""Where a descriptor names the classes above, and where its table begins."""

Place = tuple[ObjectFile, Relocation]


@dataclass(slots=True)
class Table:
    """A class: what it is below, itself included, and its places by number."""

    above: frozenset[str]
    places: dict[int, Place]
    has_instances: bool = False


@dataclass(slots=True)
class Tables:
    """Those of all classes that live, by the identity of their descriptor's segment; `calls` are the classes
    whose method is called, by the number of its place."""

    classes: dict[int, Table] = field(default_factory=dict)
    calls: dict[int, set[str]] = field(default_factory=dict)
    early: set[int] = field(default_factory=set)

    def add(
        self, holder: ObjectFile, segment: Segment, display: Segment | None, shown: ObjectFile
    ) -> list[Place]:
        """A class lives; its `display` of the object `shown` names what is above it. The places that are
        needed now, as in `make`."""
        named = display.relocations if display is not None else ()
        above = {shown.symbols[each.index].name.removeprefix(CLASS) for each in named}
        places = {
            (each.offset - TABLE) // 4: (holder, each) for each in segment.relocations if each.offset >= TABLE
        }
        self.classes[id(segment)] = Table(frozenset({*above, own_name(segment)}), places)
        return self.make(segment) if id(segment) in self.early else []

    def make(self, segment: Segment) -> list[Place]:
        """A class has instances: the places that are called are needed now, or once it was added."""
        table = self.classes.get(id(segment))
        if table is None:
            self.early.add(id(segment))
            return []
        if table.has_instances:
            return []
        table.has_instances = True
        return [place for number, place in table.places.items() if self.is_called(table, number)]

    def call(self, symbol: str) -> list[Place]:
        """A method is called: the functions in its place are needed now, of all classes with instances."""
        number, owner = parse_method(symbol)
        if owner in self.calls.setdefault(number, set()):
            return []
        found = [
            table.places[number]
            for table in self.classes.values()
            if table.has_instances and owner in table.above and not self.is_called(table, number)
            if number in table.places
        ]
        self.calls[number].add(owner)
        return found

    def is_called(self, table: Table, number: int) -> bool:
        """Whether something calls this place of a class."""
        return not table.above.isdisjoint(self.calls.get(number, ()))

    def fills(self, segment: Segment, number: int) -> bool:
        """Whether a place of a class is filled."""
        table = self.classes[id(segment)]
        return table.has_instances and self.is_called(table, number)

    def symbols(self) -> Iterator[tuple[str, int]]:
        """The symbols of all methods that are called, with the offset of their place."""
        for number, owners in self.calls.items():
            for owner in owners:
                yield f"{METHOD}{number}:{owner}", TABLE + 4 * number


def parse_method(symbol: str) -> tuple[int, str]:
    """The number of a method's place, and the class that introduced it."""
    number, _, owner = symbol.removeprefix(METHOD).partition(":")
    return int(number), owner


def own_name(segment: Segment) -> str:
    """The class whose descriptor a segment is."""
    return segment.name.removeprefix(CLASS_SEGMENT)


def is_class(found: Code | Segment) -> bool:
    """Whether it is a descriptor."""
    return isinstance(found, Segment) and found.name.startswith(CLASS_SEGMENT)


def place_number(found: Code | Segment, relocation: Relocation) -> int | None:
    """The number of the place of a table that a relocation fills; None where it is no such place."""
    if is_class(found) and relocation.offset >= TABLE:
        return (relocation.offset - TABLE) // 4
    return None


def makes(found: Code | Segment, relocation: Relocation, symbol: str) -> bool:
    """Whether a relocation makes instances of the class that its symbol names: code by naming it, an object
    that is there from the start by beginning with it."""
    if not symbol.startswith(CLASS):
        return False
    if isinstance(found, Code):
        return True
    return relocation.offset == 0 and not found.name.startswith((CLASS_SEGMENT, DISPLAY_SEGMENT))
