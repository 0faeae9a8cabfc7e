"""What LLVM is given, and how well it is to do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

THOROUGH_COSTS: Final = 4
"""How much longer a text takes that is optimised thoroughly, about."""


@dataclass(frozen=True, slots=True)
class Text:
    """LLVM's text of a source. `thorough`: as fast as LLVM can make it, else made soon."""

    source: str
    text: str
    thorough: bool

    @property
    def cost(self) -> int:
        """How long it takes, against others."""
        return len(self.text) * (THOROUGH_COSTS if self.thorough else 1)
