"""Header lines of a message that has just come: Envoy's, fetched one by one or all at once."""

from meshext_wasm.library.meshext.legal import decode
from meshext_wasm.library.meshext.lines import NOTHING, Origin, first_of
from meshext_wasm.library.proxy.host import read_header, read_pairs, read_size

ONE_BY_ONE = 3
"""So many names are asked for one by one; Envoy takes as long to hand over everything as for four."""


NOTHING_ASKED: list[tuple[str, bytes | None]] = []


class Arriving(Origin):
    """A header map of Envoy's while it is there; `lines_there` is how many lines Envoy says it has.

    Whoever wants to read it later loads it before: `load` keeps what it got.
    """

    def __init__(self, which: int, lines_there: int) -> None:
        self.which = which
        self.lines_there = lines_there
        self.asked = NOTHING_ASKED
        self.pairs = NOTHING
        self.plain = NOTHING
        self.is_loaded = False

    def first(self, name: str) -> bytes | None:
        """The first value of a name, of a pseudo-header too."""
        if not self.is_loaded:
            for key, value in self.asked:
                if key == name:
                    return value
            if len(self.asked) < ONE_BY_ONE:
                found = read_header(self.which, name)
                if len(self.asked) == 0:
                    self.asked = [(name, found)]
                else:
                    self.asked.append((name, found))
                return found
            self.load()
        return first_of(self.pairs, name)

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
