"""What is wrong inside the compiler, never in the user's program."""

from __future__ import annotations

from meshext.errors import MeshextError


class BrokenIR(MeshextError):
    """The compiler made IR that breaks a rule: a fault of the compiler, told with function and pass."""
