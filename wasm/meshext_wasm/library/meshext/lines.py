"""Header lines as they are at one point of a message's way through the filters.

Lines are never changed, only replaced: so a snapshot is a reference, and "nothing changed" is an identity
test. Those of a message that has just come are still Envoy's: they are fetched when somebody asks for them,
and what a filter writes is kept beside them, to be handed on as it is.
"""

from meshext_wasm.library.meshext.legal import is_plain_name
from meshext_wasm.library.raw import virtual

HOST = "host"
"""A name that Envoy answers with `:authority`, which is no line."""


class Origin:
    """Where lines come from that nobody has asked for yet."""

    @virtual
    def first(self, name: str) -> bytes | None:
        """The first value of a name, of a pseudo-header too."""
        raise NotImplementedError

    @virtual
    def load(self) -> list[tuple[str, bytes]]:
        """All lines but pseudo-headers."""
        raise NotImplementedError

    @virtual
    def count(self) -> int:
        """How many lines there are, pseudo-headers included."""
        raise NotImplementedError

    @virtual
    def size(self) -> int:
        """Bytes of all names and values, pseudo-headers included."""
        raise NotImplementedError


class Edit:
    """Something that was written: other values for a name, or with `adds` more of them."""

    def __init__(self, name: str, values: list[bytes], adds: bool) -> None:
        self.name = name
        self.values = values
        self.adds = adds


NOTHING: list[tuple[str, bytes]] = []
NO_EDITS: list[Edit] = []
"""Lists that nobody writes to."""


class Lines:
    """Lines that are `known`, or those of an `origin` with `edits` on them, which wrote so many lines and
    bytes, whatever they took the place of."""

    def __init__(
        self, known: list[tuple[str, bytes]], origin: Origin | None = None, edits: list[Edit] = NO_EDITS
    ) -> None:
        self.known = known
        self.origin = origin
        self.edits = edits
        self.lines_written = 0
        self.bytes_written = 0
        self.is_known = origin is None

    def all(self) -> list[tuple[str, bytes]]:
        """Every line, names in lower case."""
        origin = self.origin
        if not self.is_known and origin is not None:
            found = origin.load()
            for edit in self.edits:
                found = put(found, edit)
            self.known = found
            self.is_known = True
        return self.known

    def first(self, name: str) -> bytes | None:
        """The first value of a name in lower case."""
        origin = self.origin
        if self.is_known or origin is None:
            return first_of(self.known, name)
        if len(self.edits) > 0 and self.is_edited(name):
            return first_of(self.all(), name)
        if not is_plain_name(name) and (name.startswith(":") or name == HOST):
            return None
        return origin.first(name)

    def is_edited(self, name: str) -> bool:
        """Whether something was written under a name."""
        for edit in self.edits:
            if edit.name == name:
                return True
        return False

    def edited(self, edit: Edit) -> "Lines":
        """The lines with something more written on them."""
        if self.is_known:
            found = put(self.known, edit)
            if found is self.known:
                return self
            return Lines(found)
        edits = [edit]
        if len(self.edits) > 0:
            edits = [*self.edits, edit]
        made = Lines(NOTHING, self.origin, edits)
        size = self.bytes_written
        for value in edit.values:
            size += len(edit.name) + len(value)
        made.lines_written = self.lines_written + len(edit.values)
        made.bytes_written = size
        return made


NO_LINES = Lines(NOTHING)


def first_of(lines: list[tuple[str, bytes]], name: str) -> bytes | None:
    """The first value of a name."""
    for key, value in lines:
        if key == name:
            return value
    return None


def put(lines: list[tuple[str, bytes]], edit: Edit) -> list[tuple[str, bytes]]:
    """Lines with an edit: other values stand where the first line of the name stood, else at the end."""
    made: list[tuple[str, bytes]] = []
    placed = edit.adds
    for line in lines:
        if edit.adds or line[0] != edit.name:
            made.append(line)
        elif not placed:
            placed = True
            write(made, edit)
    if edit.adds or not placed:
        write(made, edit)
    if len(edit.values) == 0 and len(made) == len(lines):
        return lines
    return made


def write(lines: list[tuple[str, bytes]], edit: Edit) -> None:
    """The edit's own lines."""
    for value in edit.values:
        lines.append((edit.name, value))
