"""Generators: what a function with `yield` gives, and iterators that a program writes itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from meshext_wasm.library.builtins.iteration import Iterator
from meshext_wasm.library.raw import array

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
S = TypeVar("S")
R = TypeVar("R")


class Generator(Iterator[T], Generic[T, S, R]):
    """Runs a function from one `yield` to the next.

    The compiler writes `steps`: called with the generator, it goes on where it stopped, and says whether it
    stopped at another `yield`. `place` is where: 0 before the first call, -1 while it runs and when it is
    over. `kept` holds the arguments at first, then what the function needs when it goes on.
    """

    steps: Callable[[object], bool]
    place: int
    running: bool
    kept: array[object]

    def __init__(self, steps: Callable[[object], bool], kept: array[object]) -> None:
        self.steps = steps
        self.place = 0
        self.running = False
        self.kept = kept

    def advance(self) -> bool:
        """Run to the next `yield`."""
        if self.running:
            raise ValueError("generator already executing")
        if self.place < 0:
            return False
        self.running = True
        steps = self.steps
        try:
            return steps(self)
        except StopIteration as stop:
            raise RuntimeError("generator raised StopIteration") from stop
        finally:
            self.running = False


def start(steps: Callable[[object], bool], kept: array[object]) -> Generator[object, None, None]:
    """A generator that has not begun."""
    return Generator(steps, kept)


class Following(Iterator[T]):
    """Over an object of the program that has `__next__`."""

    step: Callable[[], T]

    def __init__(self, step: Callable[[], T]) -> None:
        self.step = step

    def advance(self) -> bool:
        """Ask for the next item."""
        step = self.step
        try:
            self.current = step()
        except StopIteration:
            return False
        return True


def following(step: Callable[[], T]) -> Iterator[T]:
    """The iterator of an object whose `__next__` this is."""
    return Following(step)
