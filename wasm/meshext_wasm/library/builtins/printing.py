"""The repr of containers that hold themselves: which are being printed now."""

from __future__ import annotations

from meshext_wasm.library.builtins.arrays import new_array
from meshext_wasm.library.raw import array, array_get, array_length, array_set, value_address, word

DEEPEST = 200


class Printing:
    """The containers whose repr is being made, by address, innermost last."""

    addresses: array[int]
    depth: int

    def __init__(self) -> None:
        self.addresses = new_array(DEEPEST)
        self.depth = 0

    def enters(self, value: object) -> bool:
        """Whether the repr of a container begins; False when it is inside itself."""
        address = int(value_address(value))
        for index in range(self.depth):
            if array_get(self.addresses, word(index)) == address:
                return False
        if self.depth == int(array_length(self.addresses)):
            raise RecursionError("maximum recursion depth exceeded while getting the repr of an object")
        array_set(self.addresses, word(self.depth), address)
        self.depth += 1
        return True

    def leaves(self) -> None:
        """The repr of the innermost container is made or has failed."""
        self.depth -= 1


PRINTING = Printing()


def forget_printing() -> None:
    """Begin anew after a callback that the step budget has ended."""
    PRINTING.depth = 0
