"""What ends a rollout before it has begun, or while nobody can say how it goes."""

from __future__ import annotations

from meshext.errors import MeshextError


class RolloutError(MeshextError):
    """The rollout can not be done as asked; the text says what to do instead."""

    exit_code = 2


class SightError(RolloutError):
    """Prometheus was not asked, or its answer is none."""
