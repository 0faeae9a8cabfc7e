"""What can be wrong with objects and modules."""

from __future__ import annotations

from collections.abc import Sequence

from meshext.errors import MeshextError


class LinkError(MeshextError):
    """Objects do not make a module; `problems` holds one line for each mistake, all found in one go."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class ModuleError(MeshextError):
    """A module is none, or Envoy would refuse it or come to harm by it; one line for each reason."""

    def __init__(self, problems: Sequence[str], *, source: str) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))
