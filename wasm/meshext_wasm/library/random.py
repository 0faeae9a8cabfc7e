"""random: the Mersenne Twister (M. Matsumoto, T. Nishimura, 1998), which gives CPython's numbers for a seed
that is an int. Unseeded it starts from the host's randomness. Only ints are taken as a seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from meshext_wasm.library.builtins import limbs
from meshext_wasm.library.raw import (
    blob_new,
    class_descriptor,
    float_from_wide,
    load32,
    store32,
    value_address,
    wide,
    word,
)
from meshext_wasm.library.secrets import randbits

T = TypeVar("T")
COUNT = 624


class Random:
    """A generator of its own."""

    memory: object
    index: int

    def __init__(self, x: int | None = None) -> None:
        self.memory = blob_new(class_descriptor(bytes), word(COUNT * 4 + 8))
        store32(value_address(self.memory) + 8, word(COUNT * 4))
        store32(value_address(self.memory) + 12, 0)
        self.index = COUNT
        self.seed(x)

    def state(self) -> word:
        """Where the words of the state stand now."""
        return value_address(self.memory) + 16

    def seed(self, a: int | None = None) -> None:
        """Start again from an int, or from the host's randomness."""
        number = randbits(256) if a is None else -a if a < 0 else a
        self.index = COUNT
        seed_by(self.state(), limbs.of(number))

    def next_word(self) -> word:
        """32 random bits."""
        if self.index >= COUNT:
            twist(self.state())
            self.index = 0
        value = load32(self.state() + word(self.index * 4))
        self.index += 1
        value = value ^ (value >> 11)
        value = value ^ ((value << 7) & 0x9D2C5680)
        value = value ^ ((value << 15) & 0xEFC60000)
        return value ^ (value >> 18)

    def random(self) -> float:
        """A float from 0 up to, not including, 1."""
        upper = wide(self.next_word() >> 5)
        lower = wide(self.next_word() >> 6)
        return float(float_from_wide(upper * 67108864 + lower) / 9007199254740992.0)

    def getrandbits(self, k: int, /) -> int:
        """An int of so many bits."""
        if k < 0:
            raise ValueError("number of bits must be non-negative")
        result = 0
        shift = 0
        while k > 0:
            part = self.next_word()
            if k < 32:
                part = part >> word(32 - k)
            result |= int(part) << shift
            shift += 32
            k -= 32
        return result

    def below(self, bound: int) -> int:
        """An int from 0 up to a bound that is above 0."""
        bits = bound.bit_length()
        result = self.getrandbits(bits)
        while result >= bound:
            result = self.getrandbits(bits)
        return result

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """One of `range(start, stop, step)`."""
        if stop is None:
            if start <= 0:
                raise ValueError("empty range for randrange()")
            return self.below(start)
        if step == 0:
            raise ValueError("zero step for randrange()")
        count = (stop - start + step + (-1 if step > 0 else 1)) // step
        if count <= 0:
            raise ValueError(f"empty range for randrange() ({start}, {stop}, {stop - start})")
        return start + step * self.below(count)

    def randint(self, a: int, b: int) -> int:
        """An int from `a` to `b`, both included."""
        return self.randrange(a, b + 1)

    def uniform(self, a: float, b: float) -> float:
        """A float between two."""
        return a + (b - a) * self.random()

    def choice(self, seq: Sequence[T]) -> T:
        """One of the items."""
        if len(seq) == 0:
            raise IndexError("list index out of range")
        return seq[self.below(len(seq))]

    def choices(self, population: Sequence[T], *, k: int = 1) -> list[T]:
        """So many of the items, any of them more than once."""
        count = len(population) + 0.0
        return [population[int(self.random() * count)] for _ in range(k)]

    def shuffle(self, x: list[T]) -> None:
        """Put a list into a random order."""
        for index in range(len(x) - 1, 0, -1):
            other = self.below(index + 1)
            kept = x[index]
            x[index] = x[other]
            x[other] = kept


def seed_by(state: word, key: word) -> None:
    """The state that an int's limbs make."""
    start_from(state, word(19650218))
    count = limbs.size(key) if limbs.size(key) > 0 else word(1)
    place = word(1)
    taken = word(0)
    left = word(COUNT) if count < word(COUNT) else count
    while left > 0:
        part = word(limbs.limb(key, taken)) if limbs.size(key) > 0 else word(0)
        mixed = mix(state, place, word(1664525)) + part + taken
        store32(state + place * 4, mixed)
        place = following(state, place)
        taken = taken + 1 if taken + 1 < count else word(0)
        left = left - 1
    left = word(COUNT - 1)
    while left > 0:
        store32(state + place * 4, mix(state, place, word(1566083941)) - place)
        place = following(state, place)
        left = left - 1
    store32(state, 0x80000000)


def start_from(state: word, number: word) -> None:
    """The state that one word makes."""
    store32(state, number)
    place = word(1)
    while place < word(COUNT):
        before = load32(state + place * 4 - 4)
        store32(state + place * 4, (before ^ (before >> 30)) * 1812433253 + place)
        place = place + 1


def mix(state: word, place: word, factor: word) -> word:
    """A word of the state with the one before it."""
    before = load32(state + place * 4 - 4)
    return load32(state + place * 4) ^ ((before ^ (before >> 30)) * factor)


def following(state: word, place: word) -> word:
    """The next place, from 1 on again behind the last."""
    if place + 1 < word(COUNT):
        return place + 1
    store32(state, load32(state + word(COUNT * 4 - 4)))
    return word(1)


def twist(state: word) -> None:
    """The next 624 words."""
    place = word(0)
    while place < word(COUNT):
        after = place + 1 if place + 1 < word(COUNT) else word(0)
        far = place + 397 if place < word(COUNT - 397) else place - word(COUNT - 397)
        bits = (load32(state + place * 4) & 0x80000000) | (load32(state + after * 4) & 0x7FFFFFFF)
        value = load32(state + far * 4) ^ (bits >> 1) ^ ((bits & 1) * 0x9908B0DF)
        store32(state + place * 4, value)
        place = place + 1


class Shared:
    """The generator of the functions of the module; made when the first of them is called."""

    generator: Random | None

    def __init__(self) -> None:
        self.generator = None

    def get(self) -> Random:
        """The generator."""
        if self.generator is None:
            self.generator = Random()
        return self.generator


SHARED = Shared()


def seed(a: int | None = None) -> None:
    """Start again from an int, or from the host's randomness."""
    SHARED.get().seed(a)


def random() -> float:
    """A float from 0 up to, not including, 1."""
    return SHARED.get().random()


def getrandbits(k: int, /) -> int:
    """An int of so many bits."""
    return SHARED.get().getrandbits(k)


def randrange(start: int, stop: int | None = None, step: int = 1) -> int:
    """One of `range(start, stop, step)`."""
    return SHARED.get().randrange(start, stop, step)


def randint(a: int, b: int) -> int:
    """An int from `a` to `b`, both included."""
    return SHARED.get().randint(a, b)


def uniform(a: float, b: float) -> float:
    """A float between two."""
    return SHARED.get().uniform(a, b)


def choice(seq: Sequence[T]) -> T:
    """One of the items."""
    return SHARED.get().choice(seq)


def choices(population: Sequence[T], *, k: int = 1) -> list[T]:
    """So many of the items, any of them more than once."""
    return SHARED.get().choices(population, k=k)


def shuffle(x: list[T]) -> None:
    """Put a list into a random order."""
    SHARED.get().shuffle(x)
