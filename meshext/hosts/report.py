"""What a worker tells of what it loaded: which files, by content, and what its filters need of Envoy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from meshext.needs import Hook, Needs
from meshext.plan import Plan, build_plan
from meshext.sources import Sources

NEEDS = "needs "
"""Before the filters' needs, on the standard output of `python -m meshext.hosts`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One version of code and configuration.

    `files` are the paths that were read, each with the digest of its content. `fingerprint` is the same for
    two workers that loaded the same; `settled` is false where a file changed while it was loaded, so that it
    may be half of two versions.
    """

    fingerprint: str
    settled: bool
    files: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[Needs, ...] = field(default=())

    @classmethod
    def of(cls, needs: Sequence[Needs], sources: Sources) -> Self:
        """Of what this process has loaded."""
        return cls(
            fingerprint=sources.fingerprint(),
            settled=not sources.changed(),
            files=dict(sources.files),
            needs=tuple(needs),
        )

    @property
    def plan(self) -> Plan:
        """What the filters ask of Envoy, in the mode that carries everything."""
        return build_plan(self.needs, "proc")

    def to_plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "needs": [to_plain(needs) for needs in self.needs]}

    @classmethod
    def from_plain(cls, given: Mapping[str, Any]) -> Self:
        """From that."""
        needs = tuple(from_plain(each) for each in given["needs"])
        return cls(**{**given, "needs": needs})


def to_plain(needs: Needs) -> dict[str, Any]:
    """One filter's needs as JSON has them."""
    return {**asdict(needs), "hooks": sorted(needs.hooks)}


def from_plain(given: Mapping[str, Any]) -> Needs:
    """From that."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    values["hooks"] = frozenset(Hook(hook) for hook in given["hooks"])
    return Needs(**values)
