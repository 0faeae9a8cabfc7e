"""What `@dataclass` writes, as source that is then checked like any other."""

from __future__ import annotations

from meshext_wasm.typecheck.declared import ClassWork, Declared


def synthesise(declared: Declared, work: ClassWork) -> None:
    """Add the methods that a decorator or a base class promises."""
