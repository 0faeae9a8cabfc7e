"""enum.Enum: what every member answers; the compiler makes the members."""

from __future__ import annotations

from meshext_wasm.library.builtins.classes import type_name
from meshext_wasm.library.raw import virtual


class Enum:
    """Root of enumerations. The class below it has `value`, of the type of its members' values."""

    name: str

    def __repr__(self) -> str:
        return f"<{self}: {self.value_text()}>"

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
