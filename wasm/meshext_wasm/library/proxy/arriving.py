"""Header lines of a message that has just come: Envoy's, fetched one by one or all at once."""

from meshext_wasm.library.meshext.legal import decode
from meshext_wasm.library.meshext.lines import NOTHING, Origin, first_of
from meshext_wasm.library.proxy.host import read_header, read_pairs, read_size

ONE_BY_ONE = 3
"""So many names are asked for one by one; Envoy takes as long to hand over everything as for four."""


class Arriving(Origin):
    """A header map of Envoy's while it is there; `lines_there` is how many lines Envoy says it has.

    Whoever wants to read it later loads it before: `load` keeps what it got.
    """

    def __init__(self, which: int, lines_there: int) -> None:
        self.which = which
        self.lines_there = lines_there
        self.asked = 0
        self.name0 = ""
        self.name1 = ""
        self.name2 = ""
        self.value0: bytes | None = None
        self.value1: bytes | None = None
        self.value2: bytes | None = None
        self.pairs = NOTHING
        self.plain = NOTHING
        self.is_loaded = False

    def first(self, name: str) -> bytes | None:
        """The first value of a name, of a pseudo-header too."""
        if not self.is_loaded:
            asked = self.asked
            if asked > 0 and self.name0 == name:
                return self.value0
            if asked > 1 and self.name1 == name:
                return self.value1
            if asked > 2 and self.name2 == name:
                return self.value2
            if asked < ONE_BY_ONE:
                return self.ask(name)
            self.load()
        return first_of(self.pairs, name)

    def ask(self, name: str) -> bytes | None:
        """Ask Envoy, and keep what it says."""
        found = read_header(self.which, name)
        if self.asked == 0:
            self.name0, self.value0 = name, found
        elif self.asked == 1:
            self.name1, self.value1 = name, found
        else:
            self.name2, self.value2 = name, found
        self.asked += 1
        return found

    def load(self) -> list[tuple[str, bytes]]:
        """All lines but pseudo-headers."""
        if not self.is_loaded:
            self.is_loaded = True
            self.pairs = []
            self.plain = []
            for name, value in read_pairs(self.which):
                line = (decode(name), value)
                self.pairs.append(line)
                if not name.startswith(b":"):
                    self.plain.append(line)
        return self.plain

    def count(self) -> int:
        """How many lines there are, pseudo-headers included."""
        return self.lines_there

    def size(self) -> int:
        """Bytes of all names and values, pseudo-headers included."""
        return read_size(self.which)
