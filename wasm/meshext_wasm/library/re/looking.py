"""Lookaround, `(?=...)`, `(?<!...)` and the like, spelled out as the ways in which it holds.

Where the pattern says how many characters there may be, the time that it takes hangs on the pattern alone.
One of any length, such as `(?=.*x)`, is refused: the text would be gone through again at every place.
"""

from __future__ import annotations

from meshext_wasm.library.re.nodes import (
    ALTERNATIVES,
    ASSERTION,
    GROUP,
    LOOK,
    REPEAT,
    SEQUENCE,
    UNBOUNDED,
    Node,
    error,
)
from meshext_wasm.library.re.scanner import Scanner

WAYS_MOST = 100
LONGEST = 1000


def ways_of(scanner: Scanner, node: Node) -> list[list[Node]]:
    """The sequences of single characters and conditions of which one has to match. `error` for a way back of
    several lengths, as in CPython, and for what is not supported."""
    start = node.point
    found = ways(scanner, node.parts[0], start)
    if node.low == 1:
        for way in found:
            if taken(way) != taken(found[0]):
                raise error("look-behind requires fixed-width pattern")
    return found


def taken(way: list[Node]) -> int:
    """How many characters a way takes."""
    count = 0
    for part in way:
        if part.kind != ASSERTION and part.kind != LOOK:
            count += 1
    return count


def ways(scanner: Scanner, node: Node, start: int) -> list[list[Node]]:
    """The ways of a part of lookaround that stands at `start`."""
    if node.kind == GROUP and node.group > 0:
        scanner.fail("a group inside of lookaround is not supported; write (?:...)", start)
    if node.kind == GROUP or node.kind == SEQUENCE:
        result: list[list[Node]] = [[]]
        for part in node.parts:
            result = combined(scanner, result, ways(scanner, part, start), start)
        return result
    if node.kind == ALTERNATIVES:
        result = []
        for part in node.parts:
            result.extend(ways(scanner, part, start))
        return checked(scanner, result, start)
    return repeated(scanner, node, start) if node.kind == REPEAT else [[node]]


def repeated(scanner: Scanner, node: Node, start: int) -> list[list[Node]]:
    """The ways of every count that a repeat allows."""
    if node.high == UNBOUNDED:
        reason = "lookaround of any length is not supported: it can not be matched in linear time"
        scanner.fail(reason, start)
    once = ways(scanner, node.parts[0], start)
    so_many: list[list[Node]] = [[]]
    result: list[list[Node]] = []
    for count in range(node.high + 1):
        if count >= node.low:
            result.extend(so_many)
        if count < node.high:
            so_many = combined(scanner, so_many, once, start)
    return checked(scanner, result, start)


def combined(
    scanner: Scanner, first: list[list[Node]], second: list[list[Node]], start: int
) -> list[list[Node]]:
    """Each of the first with each of the second behind it."""
    result: list[list[Node]] = []
    for left in first:
        for right in second:
            if len(left) + len(right) > LONGEST:
                scanner.fail("the pattern has more than 1000 states; write shorter counts", start)
            result.append([*left, *right])
        checked(scanner, result, start)
    return result


def checked(scanner: Scanner, found: list[list[Node]], start: int) -> list[list[Node]]:
    """The ways, unless there are too many."""
    if len(found) > WAYS_MOST:
        scanner.fail("lookaround of more than 100 ways is not supported; write fewer choices", start)
    return found
