"""Runs the operations of a pattern over a text, all ways at once and the preferred ones first (K. Thompson's
and R. Pike's method): the time is at most characters times operations.

Everything is in one stretch of memory that lasts for one call. A thread is the number of an operation and the
places that it has saved.
"""

from __future__ import annotations

from meshext_wasm.library.binascii import new_bytes
from meshext_wasm.library.raw import (
    budget_charge,
    load8,
    load32,
    memory_fill,
    nothrow,
    store32,
    value_address,
    word,
)
from meshext_wasm.library.re import operations
from meshext_wasm.library.re.characters import folded, in_set, is_word
from meshext_wasm.library.re.nodes import CharSet

NOWHERE = 0xFFFFFFFF


class Job:
    """A text that is searched with a program. Addresses last as long as the callback."""

    code: int
    count: int
    slots: int
    sets: list[CharSet]
    is_bytes: bool
    base: int
    width: int
    end: int
    memory: int
    generation: int
    full: bool
    advance: int

    def __init__(self, code: object, count: int, slots: int, sets: list[CharSet], is_bytes: bool) -> None:
        self.code = int(value_address(code) + 16)
        self.count = count
        self.slots = slots
        self.sets = sets
        self.is_bytes = is_bytes
        self.base = 0
        self.width = 1
        self.end = 0
        self.generation = 0
        self.full = False
        self.advance = -1
        # Marks, stack (each operation may put back a place and leave two ways), places at work, places found,
        # two lists of threads.
        size = count * 4 + count * 24 + 32 + slots * 8 + 2 * count * (slots * 4 + 4)
        self.memory = int(new_bytes(word(size)) + 16)
        memory_fill(word(self.memory), 0, word(count * 4))

    def aim(self, text: str | bytes, end: int) -> None:
        """Search this text, up to a place."""
        address = value_address(text)
        if isinstance(text, bytes):
            self.base = int(address + 16)
            self.width = 1
        else:
            self.base = int(address + 24)
            self.width = 4 if load32(address + 12) == 2 else 1
        self.end = end

    def point(self, place: int) -> int:
        """The character at a place."""
        if self.width == 1:
            return int(load8(word(self.base + place)))
        return int(load32(word(self.base + place * 4)))

    def stack(self) -> word:
        """Where the stack begins."""
        return word(self.memory + self.count * 4)

    def work(self) -> word:
        """The places of the thread at work."""
        return word(self.memory + self.count * 28 + 32)

    def found(self) -> word:
        """The places of the match."""
        return self.work() + word(self.slots * 4)

    def threads(self, which: int) -> word:
        """The start of one of the two lists."""
        size = self.count * (self.slots * 4 + 4)
        return self.found() + word(self.slots * 4 + which * size)


def run(job: Job, start: int, anchored: bool) -> bool:
    """Find the first match that begins at a place, or behind it unless `anchored`; its places are in
    `job.found()`."""
    now = 0
    count = word(0)
    matched = False
    place = start if anchored else next_start(job, start)
    while True:
        if not matched and (not anchored or place == start):
            if count == 0:
                job.generation += 1
            memory_fill(job.work(), 255, word(job.slots * 4))
            count = follow(job, job.threads(now), count, word(0), place)
        if count == 0:
            if matched or anchored or place >= job.end:
                return matched
            place = next_start(job, place + 1)
            continue
        budget_charge(count)
        job.generation += 1
        point = job.point(place) if place < job.end else -1
        before = job.threads(1 - now)
        after = step(job, job.threads(now), count, before, place, point)
        if after >= 0x80000000:
            matched = True
            after = after & 0x7FFFFFFF
        count = after
        now = 1 - now
        if place >= job.end:
            return matched
        place += 1


def next_start(job: Job, place: int) -> int:
    """The next place where a match can begin, by its first character, or the end."""
    bits = word(job.code) + word(job.count * 16 + len(job.sets) * 16)
    size = word(job.width)
    at = word(job.base) + word(place) * size
    end = word(job.base) + word(job.end) * size
    begun = at
    while at < end:
        point = load8(at) if size == 1 else load32(at)
        if point >= 128 or (load32(bits + (point >> 5) * 4) >> (point & 31)) & 1 != 0:
            break
        at = at + size
    return place + int((at - begun) // size)


@nothrow
def copy_places(to: word, source: word, slots: word) -> None:
    """The places of a thread."""
    index = word(0)
    while index < slots:
        store32(to + index * 4, load32(source + index * 4))
        index = index + 1


def step(job: Job, threads: word, count: word, onto: word, place: int, point: int) -> word:
    """Let every thread take a character; how many there are then. The highest bit is set when one matched,
    which ends those behind it."""
    size = word(job.slots * 4 + 4)
    result = word(0)
    index = word(0)
    while index < count:
        thread = threads + index * size
        number = load32(thread)
        operation = word(job.code) + number * 16
        kind = load32(operation)
        if kind == word(operations.MATCH):
            if is_accepted(job, thread, place):
                copy_places(job.found(), thread + 4, word(job.slots))
                return result | 0x80000000
        elif point >= 0 and takes(job, kind, operation, point):
            copy_places(job.work(), thread + 4, word(job.slots))
            result = follow(job, onto, result, number + 1, place + 1)
        index = index + 1
    return result


def is_accepted(job: Job, thread: word, place: int) -> bool:
    """Whether a match may end here."""
    if job.full and place != job.end:
        return False
    return place != job.advance or int(load32(thread + 4)) != place


def takes(job: Job, kind: word, operation: word, point: int) -> bool:
    """Whether an operation takes a character."""
    if kind == word(operations.CHAR):
        return load32(operation + 4) == word(point)
    if kind == word(operations.SET):
        if point < 128:
            bits = word(job.code) + word(job.count * 16) + load32(operation + 4) * 16
            return (load32(bits + word(point // 32 * 4)) >> word(point % 32)) & 1 != 0
        return in_set(job.sets[int(load32(operation + 4))], point, job.is_bytes)
    if kind == word(operations.ANY):
        return point != 10
    if kind == word(operations.ALL):
        return True
    return folded(point, load32(operation + 8) != 0) == int(load32(operation + 4))


def follow(job: Job, threads: word, count: word, number: word, place: int) -> word:
    """Add the threads that an operation leads to without taking a character; how many there are then."""
    size = word(job.slots * 4 + 4)
    marks = word(job.memory)
    generation = word(job.generation)
    bottom = job.stack()
    top = push(bottom, number, word(NOWHERE))
    while top > bottom:
        top = top - 8
        number = load32(top)
        if load32(top + 4) != word(NOWHERE):
            store32(job.work() + load32(top + 4) * 4, number)
            continue
        if load32(marks + number * 4) == generation:
            continue
        store32(marks + number * 4, generation)
        operation = word(job.code) + number * 16
        kind = load32(operation)
        if kind < word(operations.SPLIT):
            store32(threads + count * size, number)
            copy_places(threads + count * size + 4, job.work(), word(job.slots))
            count = count + 1
        elif kind == word(operations.SPLIT):
            top = push(top, load32(operation + 8), word(NOWHERE))
            top = push(top, load32(operation + 4), word(NOWHERE))
        elif kind == word(operations.JUMP):
            top = push(top, load32(operation + 4), word(NOWHERE))
        elif kind <= word(operations.LAST):
            top = save(job, top, kind, operation, number, place)
        elif kind == word(operations.LOOK):
            if looks(job, operation, number + 1, place):
                top = push(top, load32(operation + 4), word(NOWHERE))
        elif holds(job, int(kind), place):
            top = push(top, number + 1, word(NOWHERE))
    return count


def looks(job: Job, operation: word, number: word, place: int) -> bool:
    """Whether lookaround lets pass: one of its ways holds, or none does where it must not match."""
    end = load32(operation + 4)
    budget_charge(end - number)
    back = load32(operation + 8) != 0
    held = False
    while number < end and not held:
        way = word(job.code) + number * 16
        after = load32(way + 4)
        held = agrees(job, number + 1, after, place - int(load32(way + 8)) if back else place)
        number = after
    return held == (load32(operation + 12) == 0)


def agrees(job: Job, number: word, end: word, place: int) -> bool:
    """Whether the text at a place is what operations one after the other say."""
    if place < 0:
        return False
    while number < end:
        operation = word(job.code) + number * 16
        kind = load32(operation)
        number = number + 1
        if kind == word(operations.LOOK):
            if not looks(job, operation, number, place):
                return False
            number = load32(operation + 4)
        elif kind < word(operations.SPLIT):
            if place >= job.end or not takes(job, kind, operation, job.point(place)):
                return False
            place += 1
        elif not holds(job, int(kind), place):
            return False
    return True


@nothrow
def push(top: word, number: word, slot: word) -> word:
    """Something more to do; the new top."""
    store32(top, number)
    store32(top + 4, slot)
    return top + 8


def save(job: Job, top: word, kind: word, operation: word, number: word, place: int) -> word:
    """Keep a place, or the number of the last group, and put back what was there afterwards."""
    last = kind == word(operations.LAST)
    slot = word(job.slots - 1) if last else load32(operation + 4)
    at = job.work() + slot * 4
    top = push(top, load32(at), slot)
    store32(at, load32(operation + 4) if last else word(place))
    return push(top, number + 1, word(NOWHERE))


def holds(job: Job, kind: int, place: int) -> bool:
    """Whether a condition on a place is met."""
    if kind == operations.START:
        return place == 0
    if kind == operations.END:
        return place == job.end
    if kind == operations.LINE_START:
        return place == 0 or job.point(place - 1) == 10
    if kind == operations.LINE_END:
        return place == job.end or job.point(place) == 10
    if kind == operations.TEXT_END:
        return place == job.end or (place == job.end - 1 and job.point(place) == 10)
    if job.end == 0:
        return False
    narrow = kind == operations.BORDER_ASCII or kind == operations.NO_BORDER_ASCII
    before = place > 0 and is_word(job.point(place - 1), narrow)
    after = place < job.end and is_word(job.point(place), narrow)
    wanted = kind == operations.BORDER or kind == operations.BORDER_ASCII
    return (before != after) == wanted
