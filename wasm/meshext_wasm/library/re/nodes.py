"""What a pattern is made of, and how it fails to be one."""

from __future__ import annotations

IGNORECASE = 2
LOCALE = 4
MULTILINE = 8
DOTALL = 16
UNICODE = 32
VERBOSE = 64
ASCII = 256
DEBUG = 128

EMPTY = 0
CHAR = 1
SET = 2
ANY = 3
SEQUENCE = 4
ALTERNATIVES = 5
REPEAT = 6
GROUP = 7
ASSERTION = 8
LOOK = 9

UNBOUNDED = -1


class error(Exception):  # noqa: N801 - CPython's name
    """A pattern that is none, or that needs what is not supported: `msg` says why, `pos` where."""

    msg: str
    pattern: str | bytes
    pos: int | None
    lineno: int | None
    colno: int | None

    def __init__(self, msg: str, pattern: str | bytes = "", pos: int | None = None) -> None:
        self.msg = msg
        self.pattern = pattern
        self.pos = pos
        self.lineno = None
        self.colno = None
        text = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
        if pos is not None:
            self.lineno = text.count("\n", 0, pos) + 1
            self.colno = pos - text.rfind("\n", 0, pos)
            msg = f"{msg} at position {pos}"
            if "\n" in text:
                msg = f"{msg} (line {self.lineno}, column {self.colno})"
        super().__init__(msg)


class CharSet:
    """Characters by ranges, in pairs, and by categories such as `d` and `W`. `flags` are those in force."""

    negated: bool
    ranges: list[int]
    categories: str
    flags: int

    def __init__(self, flags: int) -> None:
        self.negated = False
        self.ranges = []
        self.categories = ""
        self.flags = flags

    def add(self, low: int, high: int) -> None:
        """A range, both ends included."""
        self.ranges.append(low)
        self.ranges.append(high)


class Node:
    """A part of a pattern. What the fields mean depends on `kind`.

    `point` is a character, or the operation of an assertion; `low` and `high` are of a repeat, `group` the
    number of a group, 0 for one that is not remembered. Of lookaround `low` is 1 where it looks back, `high`
    where it must not match, and `point` is where it stands.
    """

    kind: int
    flags: int
    point: int
    low: int
    high: int
    lazy: bool
    group: int
    chars: CharSet | None
    parts: list[Node]

    def __init__(self, kind: int, flags: int) -> None:
        self.kind = kind
        self.flags = flags
        self.point = 0
        self.low = 0
        self.high = 0
        self.lazy = False
        self.group = 0
        self.chars = None
        self.parts = []

    def can_be_empty(self) -> bool:
        """Whether it matches nothing at all somewhere."""
        if self.kind == CHAR or self.kind == SET or self.kind == ANY:
            return False
        if self.kind == LOOK:
            return True
        if self.kind == REPEAT:
            return self.low == 0 or self.parts[0].can_be_empty()
        if self.kind == ALTERNATIVES:
            for part in self.parts:
                if part.can_be_empty():
                    return True
            return False
        for part in self.parts:
            if not part.can_be_empty():
                return False
        return True


def char_node(point: int, flags: int) -> Node:
    """One character."""
    result = Node(CHAR, flags)
    result.point = point
    return result


def set_node(chars: CharSet) -> Node:
    """One of a set."""
    result = Node(SET, chars.flags)
    result.chars = chars
    return result


def category_node(letter: str, flags: int) -> Node:
    """One of a category."""
    chars = CharSet(flags)
    chars.categories = letter
    return set_node(chars)


def assertion_node(operation: int, flags: int) -> Node:
    """A place between characters."""
    result = Node(ASSERTION, flags)
    result.point = operation
    return result
