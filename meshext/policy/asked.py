"""What a request meets at a workload of a mesh: its policies, and filters that may refuse it too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from meshext.policy.facts import Facts
from meshext.policy.normalize import Normalization
from meshext.policy.settings import Settings

PASSES, REFUSES, NOT_ASKED, NOT_REACHED = "passes", "refuses", "not asked", "not reached"
"""What becomes of a request at a filter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterAnswer:
    """What a filter of the mesh does with a request.

    `named` is what puts it there, `status` what it answers where it refuses, `before` whether it stands
    before the policies.
    """

    named: str
    filter: str
    outcome: str
    status: int | None = None
    why: str = ""
    before: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What all filters in a request's way say, in their order, and the request as policies get it."""

    answers: tuple[FilterAnswer, ...]
    facts: Facts


Ask = Callable[[Facts, Sequence[str], bytes | None], Asked]
"""Asks for a request, the providers that CUSTOM policies name for it, and its body (None: not told)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshPolicies:
    """The policies that apply to a workload, what becomes of paths, and who asks its filters."""

    settings: Settings
    normalization: Normalization
    ask: Ask
