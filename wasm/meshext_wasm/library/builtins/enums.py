"""enum: what every member answers; the compiler makes the members."""

from __future__ import annotations

from meshext_wasm.library.builtins.classes import same_class, type_name
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


class Flag(Enum):
    """Members that are sets of bits: those that are declared have a name, others those of their bits."""

    value: int

    def __repr__(self) -> str:
        return shown_flag(self)

    def __str__(self) -> str:
        return f"{type_name(self)}.{self.name}" if self.name else f"{type_name(self)}({self.value})"

    def __bool__(self) -> bool:
        return self.value != 0

    def __len__(self) -> int:
        return self.value.bit_count()

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Flag):
            return same_class(self, other) and self.value == other.value
        return NotImplemented


class IntFlag(IntEnum):
    """The same of ints, with bits of no member too."""

    def __repr__(self) -> str:
        return shown_flag(self)


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


class TextEnum(StrEnum):
    """`class X(str, Enum)`: shown as the member that it is, not as its text."""

    def __str__(self) -> str:
        return f"{type_name(self)}.{self.name}"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class NumberEnum(IntEnum):
    """`class X(int, Enum)`: the same of ints."""

    def __str__(self) -> str:
        return f"{type_name(self)}.{self.name}"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


def shown_flag(flag: Flag | IntFlag) -> str:
    """As `repr` shows it."""
    name = f".{flag.name}" if flag.name else ""
    return f"<{type_name(flag)}{name}: {flag.value}>"


def flag_value(cls: str, value: int, mask: int, keep: bool) -> int:
    """The value of a member that has these bits; ValueError for bits of no member, unless they are kept."""
    every = (1 << mask.bit_length()) - 1
    if value < -every - 1 or value > every or value & (every ^ mask) != 0:
        if not keep:
            bits = max(value.bit_length(), mask.bit_length())
            raise ValueError(
                f"<flag {cls!r}> invalid value {value}\n    given {bits_text(value, bits)}\n"
                f"  allowed {bits_text(mask, bits)}"
            )
        if value < 0:
            value += max(every + 1, 1 << value.bit_length())
    return value + every + 1 if value < 0 else value


def bits_text(value: int, bits: int) -> str:
    """A sign, and so many bits."""
    if value < 0:
        return f"0b1 {value + (1 << bits):0{bits}b}"
    return f"0b0 {value:0{bits}b}"


def flag_name(value: int, names: tuple[str, ...], values: tuple[int, ...]) -> str:
    """The names of the bits of a value; "" where none has one."""
    found: list[str] = []
    rest = value
    for index in range(len(names)):
        if value & values[index] != 0:
            found.append(names[index])
            rest &= ~values[index]
    if len(found) > 0 and rest != 0:
        found.append(str(rest))
    return "|".join(found)


def plain_value(value: object) -> object:
    """The int or str that a member of an IntEnum or StrEnum is; any other value as it is."""
    if isinstance(value, IntEnum):
        return value.value
    if isinstance(value, StrEnum):
        return value.value
    return value
