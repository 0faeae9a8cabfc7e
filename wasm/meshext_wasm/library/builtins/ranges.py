"""range: numbers by a rule."""

from __future__ import annotations

from meshext_wasm.library.builtins.hashing import hash_tuple, int_of_hash
from meshext_wasm.library.builtins.indices import count_of, place_of, start_of, step_of, stop_of
from meshext_wasm.library.builtins.iteration import Iterator, Sequence
from meshext_wasm.library.raw import builtin, class_descriptor, constructor, instance_new


@builtin("range")
class Range(Sequence[int]):
    """From `start`, by `step`, before `stop`; `length` of them."""

    start: int
    stop: int
    step: int
    length: int

    def __len__(self) -> int:
        return self.length

    def __bool__(self) -> bool:
        return self.length > 0

    def __iter__(self) -> Iterator[int]:
        return RangeIterator(self.start, self.step, self.length)

    def __reversed__(self) -> Iterator[int]:
        return RangeIterator(self.start + (self.length - 1) * self.step, -self.step, self.length)

    def __contains__(self, item: object) -> bool:
        if isinstance(item, int):
            return self.place(item) >= 0
        for each in self:
            if each == item:
                return True
        return False

    def __getitem__(self, index: int) -> int:
        place = place_of(index, self.length, "range", "range object index out of range")
        return self.start + place * self.step

    def __getslice__(self, start: int | None, stop: int | None, step: int | None) -> Range:
        by = step_of(step)
        first, end = start_of(start, by, self.length), stop_of(stop, by, self.length)
        return range_of(self.start + first * self.step, self.start + end * self.step, self.step * by)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Range):
            return NotImplemented
        if self.length != other.length:
            return False
        if self.length == 0:
            return True
        return self.start == other.start and (self.length == 1 or self.step == other.step)

    def __hash__(self) -> int:
        if self.length == 0:
            return int_of_hash(hash_tuple((0, None, None)))
        step = self.step if self.length > 1 else None
        return int_of_hash(hash_tuple((self.length, self.start, step)))

    def __repr__(self) -> str:
        if self.step == 1:
            return f"range({self.start}, {self.stop})"
        return f"range({self.start}, {self.stop}, {self.step})"

    def index(self, item: int, /) -> int:
        """The place of a number."""
        place = self.place(item)
        if place < 0:
            raise ValueError(f"{item!r} is not in range")
        return place

    def count(self, item: int, /) -> int:
        """1 when the number is in it, else 0."""
        return 1 if self.place(item) >= 0 else 0

    def place(self, item: int) -> int:
        """The place of a number, or -1."""
        away = item - self.start
        if away % self.step != 0:
            return -1
        place = away // self.step
        return place if 0 <= place < self.length else -1


class RangeIterator(Iterator[int]):
    """Numbers by a step, so many."""

    following: int
    step: int
    left: int

    def __init__(self, start: int, step: int, count: int) -> None:
        self.following = start
        self.step = step
        self.left = count

    def advance(self) -> bool:
        """Move to the next number."""
        if self.left <= 0:
            return False
        self.current = self.following
        self.following += self.step
        self.left -= 1
        return True


def range_of(start: int, stop: int, step: int) -> Range:
    """A range of these bounds, of which True and False become ints."""
    result: Range = instance_new(class_descriptor(Range))
    result.start = start + 0
    result.stop = stop + 0
    result.step = step + 0
    result.length = count_of(start, stop, step)
    return result


@constructor(range)
def range_to(stop: int, /) -> Range:
    """`range(stop)`."""
    return range_of(0, stop, 1)


@constructor(range)
def range_between(start: int, stop: int, step: int = 1, /) -> Range:
    """`range(start, stop, step)`."""
    if step == 0:
        raise ValueError("range() arg 3 must not be zero")
    return range_of(start, stop, step)
