"""What the server tells of its work, for whoever counts it."""

from __future__ import annotations


class Observer:
    """Does nothing; override what you want to know. Times are in seconds, called in the event loop."""

    def connected(self, count: int) -> None:
        """That many streams are open now."""

    def pushed(self, type_url: str, *, size: int, resources: int) -> None:
        """A response of that many bytes was written."""

    def acknowledged(self, type_url: str, *, after: float) -> None:
        """A proxy accepted a response, that long after it was written."""

    def refused(self, type_url: str) -> None:
        """A proxy refused a response."""

    def held_back(self) -> None:
        """A snapshot was not served, because it does not hold what it names or could not be made."""

    def caught_up(self, *, after: float) -> None:
        """One proxy has everything, that long after the edit."""

    def converged(self, kind: str, *, gathered: float, after: float) -> None:
        """Every proxy has everything, `after` the edit; `gathered` of that went by waiting for more edits."""
