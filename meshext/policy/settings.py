"""What the filter `authorization-policy` is configured with: policies and the workload they are about.

A compiled filter has this and what decides; what reads documents (`reading`) stays outside of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshext.policy.model import Policy
from meshext.policy.scope import Workload

if TYPE_CHECKING:
    from meshext.config import Document

CLAIMS_KEY = "payload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Policies that apply to one workload, in order, and how they are read."""

    policies: tuple[Policy, ...]
    workload: Workload
    claims_key: str = CLAIMS_KEY

    @classmethod
    def from_document(cls, document: Document) -> Settings:
        """The settings of a text in either form; ConfigError lists every mistake with its line."""
        from meshext.policy.reading import read_settings

        return read_settings(document)
