"""enum: what every member answers; the compiler makes the members."""

from __future__ import annotations

from meshext_wasm.library.builtins.classes import type_name
from meshext_wasm.library.raw import virtual


class Enum:
    """Root of enumerations. The class below it has `value`, of the type of its members' values."""

    name: str

    def __repr__(self) -> str:
        return f"<{type_name(self)}.{self.name}: {self.value_text()}>"

    @virtual
    def value_text(self) -> str:
        """The value as `repr` shows it."""
        return ""

    def __str__(self) -> str:
        return f"{type_name(self)}.{self.name}"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __hash__(self) -> int:
        return hash(self.name)


class IntEnum(Enum):
    """Members that are ints too: where an int is wanted the compiler takes their value."""

    value: int

    def __str__(self) -> str:
        return repr(self.value)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)

    def __bool__(self) -> bool:
        return self.value != 0

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, IntEnum):
            return self.value == other.value
        if isinstance(other, int | float):
            return self.value == other
        return NotImplemented

    def __lt__(self, other: object) -> bool:
        if isinstance(other, IntEnum):
            return self.value < other.value
        if isinstance(other, int | float):
            return self.value < other
        return NotImplemented

    def __le__(self, other: object) -> bool:
        if isinstance(other, IntEnum):
            return self.value <= other.value
        if isinstance(other, int | float):
            return self.value <= other
        return NotImplemented

    def __gt__(self, other: object) -> bool:
        if isinstance(other, IntEnum):
            return self.value > other.value
        if isinstance(other, int | float):
            return self.value > other
        return NotImplemented

    def __ge__(self, other: object) -> bool:
        if isinstance(other, IntEnum):
            return self.value >= other.value
        if isinstance(other, int | float):
            return self.value >= other
        return NotImplemented


class StrEnum(Enum):
    """Members that are texts too: where a str is wanted the compiler takes their value."""

    value: str

    def __str__(self) -> str:
        return self.value

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)

    def __len__(self) -> int:
        return len(self.value)

    def __bool__(self) -> bool:
        return len(self.value) > 0

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StrEnum):
            return self.value == other.value
        if isinstance(other, str):
            return self.value == other
        return NotImplemented

    def __lt__(self, other: object) -> bool:
        if isinstance(other, StrEnum):
            return self.value < other.value
        if isinstance(other, str):
            return self.value < other
        return NotImplemented

    def __le__(self, other: object) -> bool:
        if isinstance(other, StrEnum):
            return self.value <= other.value
        if isinstance(other, str):
            return self.value <= other
        return NotImplemented

    def __gt__(self, other: object) -> bool:
        if isinstance(other, StrEnum):
            return self.value > other.value
        if isinstance(other, str):
            return self.value > other
        return NotImplemented

    def __ge__(self, other: object) -> bool:
        if isinstance(other, StrEnum):
            return self.value >= other.value
        if isinstance(other, str):
            return self.value >= other
        return NotImplemented


def plain_value(value: object) -> object:
    """The int or str that a member of an IntEnum or StrEnum is; any other value as it is."""
    if isinstance(value, IntEnum):
        return value.value
    if isinstance(value, StrEnum):
        return value.value
    return value
