"""The parts of a pattern to operations of the machine."""

from __future__ import annotations

from meshext_wasm.library.re import operations
from meshext_wasm.library.re.characters import folded, in_set
from meshext_wasm.library.re.looking import taken, ways_of
from meshext_wasm.library.re.nodes import (
    ALTERNATIVES,
    ANY,
    ASCII,
    ASSERTION,
    CHAR,
    DOTALL,
    GROUP,
    IGNORECASE,
    LOOK,
    REPEAT,
    SET,
    UNBOUNDED,
    CharSet,
    Node,
)
from meshext_wasm.library.re.scanner import Scanner

STATES_MOST = 1000


class Program:
    """Operations, four numbers each, the sets that they name, and whether the pattern is of bytes."""

    code: list[int]
    sets: list[CharSet]
    is_bytes: bool
    scanner: Scanner

    def __init__(self, scanner: Scanner) -> None:
        self.code = []
        self.sets = []
        self.is_bytes = scanner.is_bytes()
        self.scanner = scanner

    def count(self) -> int:
        """How many operations there are."""
        return len(self.code) // 4

    def add(self, operation: int, first: int = 0, second: int = 0, third: int = 0) -> int:
        """One operation more; its number."""
        number = self.count()
        if number >= STATES_MOST:
            self.scanner.fail("the pattern has more than 1000 states; write shorter counts", 0)
        self.code.append(operation)
        self.code.append(first)
        self.code.append(second)
        self.code.append(third)
        return number

    def number_of(self, chars: CharSet) -> int:
        """The number of a set; the copies of a repeat share theirs."""
        for index in range(len(self.sets)):
            if self.sets[index] is chars:
                return index
        self.sets.append(chars)
        return len(self.sets) - 1

    def aim(self, number: int, place: int, target: int) -> None:
        """Set where a jump goes."""
        self.code[number * 4 + place] = target


def build_program(scanner: Scanner, root: Node) -> Program:
    """The program of a whole pattern."""
    program = Program(scanner)
    program.add(operations.SAVE, 0)
    emit(program, root)
    program.add(operations.SAVE, 1)
    program.add(operations.MATCH)
    return program


def emit(program: Program, node: Node) -> None:
    """Add the operations of one part."""
    if node.kind == CHAR:
        emit_char(program, node)
    elif node.kind == SET:
        chars = node.chars
        if chars is not None:
            program.add(operations.SET, program.number_of(chars))
    elif node.kind == ANY:
        program.add(operations.ALL if node.flags & DOTALL != 0 else operations.ANY)
    elif node.kind == ASSERTION:
        program.add(node.point)
    elif node.kind == REPEAT:
        emit_repeat(program, node)
    elif node.kind == LOOK:
        emit_look(program, node)
    elif node.kind == ALTERNATIVES:
        emit_alternatives(program, node)
    else:
        if node.kind == GROUP and node.group > 0:
            program.add(operations.SAVE, node.group * 2)
        for part in node.parts:
            emit(program, part)
        if node.kind == GROUP and node.group > 0:
            program.add(operations.SAVE, node.group * 2 + 1)
            program.add(operations.LAST, node.group)


def emit_char(program: Program, node: Node) -> None:
    """One character, in either case where that is the same."""
    narrow = program.is_bytes or node.flags & ASCII != 0
    if node.flags & IGNORECASE == 0:
        program.add(operations.CHAR, node.point)
    else:
        program.add(operations.CHAR_IGNORE, folded(node.point, narrow), 1 if narrow else 0)


def emit_repeat(program: Program, node: Node) -> None:
    """The least count in a row, then a loop, or as many times more as there may be."""
    for _ in range(node.low):
        emit(program, node.parts[0])
    if node.high == UNBOUNDED:
        start = emit_choice(program, node)
        emit(program, node.parts[0])
        program.add(operations.JUMP, start)
        leave(program, node, start)
        return
    starts: list[int] = []
    for _ in range(node.high - node.low):
        starts.append(emit_choice(program, node))
        emit(program, node.parts[0])
    for start in starts:
        leave(program, node, start)


def emit_choice(program: Program, node: Node) -> int:
    """One round more, or none; the first is tried first unless lazy."""
    start = program.add(operations.SPLIT)
    program.aim(start, 2 if node.lazy else 1, start + 1)
    return start


def leave(program: Program, node: Node, start: int) -> None:
    """Let a choice go on here without another round."""
    program.aim(start, 1 if node.lazy else 2, program.count())


def emit_alternatives(program: Program, node: Node) -> None:
    """One after the other, the first first."""
    ends: list[int] = []
    last = len(node.parts) - 1
    for index in range(last):
        start = program.add(operations.SPLIT)
        program.aim(start, 1, start + 1)
        emit(program, node.parts[index])
        ends.append(program.add(operations.JUMP))
        program.aim(start, 2, program.count())
    emit(program, node.parts[last])
    for end in ends:
        program.aim(end, 1, program.count())


def emit_look(program: Program, node: Node) -> None:
    """Lookaround: the ways in which it holds, one after the other."""
    start = program.add(operations.LOOK, 0, node.low, node.high)
    for way in ways_of(program.scanner, node):
        number = program.add(operations.WAY, 0, taken(way))
        for part in way:
            emit(program, part)
        program.aim(number, 1, program.count())
    program.aim(start, 1, program.count())


def ascii_bits(program: Program, number: int) -> list[int]:
    """The characters below 128 of a set, as four words of bits."""
    result = [0, 0, 0, 0]
    for point in range(128):
        if in_set(program.sets[number], point, program.is_bytes):
            result[point // 32] |= 1 << point % 32
    return result


def first_bits(program: Program, bits: list[list[int]]) -> list[int]:
    """The characters below 128 with which a match can begin, as four words of bits; all of them where a match
    can be empty or begin in either case. `bits` are those of the sets."""
    result = [0, 0, 0, 0]
    seen: set[int] = set()
    todo = [0]
    while len(todo) > 0:
        number = todo.pop()
        if number in seen:
            continue
        seen.add(number)
        kind = program.code[number * 4]
        first = program.code[number * 4 + 1]
        if kind == operations.CHAR:
            if first < 128:
                result[first // 32] |= 1 << first % 32
        elif kind == operations.SET:
            for index in range(4):
                result[index] |= bits[first][index]
        elif kind < operations.SPLIT:
            return [0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF]
        elif kind == operations.SPLIT:
            todo.append(first)
            todo.append(program.code[number * 4 + 2])
        else:
            ahead = kind == operations.JUMP or kind == operations.LOOK
            todo.append(first if ahead else number + 1)
    return result
