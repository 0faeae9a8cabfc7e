"""Rewriting and A/B routing: a stable share of users goes to v2, under the paths that it knows."""

import hashlib
from dataclasses import dataclass

from meshext import Counter, Filter, Request


class RewriteAndReroute(Filter):
    """Strips the public prefix, and sends a share of the users to another version."""

    @dataclass(frozen=True)
    class Config:
        """`share`: how many of a hundred users get v2."""

        share: int
        prefix: str = "/shop"
        user: str = "x-user"
        salt: str = "checkout-2"

        def __post_init__(self) -> None:
            if not 0 <= self.share <= 100:
                raise ValueError(f"share is {self.share}; write a whole number from 0 to 100")

    assigned = Counter("ab_assigned_total", labels=("version",))

    def __init__(self, config: Config) -> None:
        self.config = config

    def on_request(self, request: Request) -> None:
        """Everything that is written here counts for the choice of the route."""
        user = request.headers.get(self.config.user, "")
        version = "v2" if user and self.bucket(user) < self.config.share else "v1"
        request.headers["x-version"] = version  # what the client wrote there is gone
        request.query["version"] = version
        del request.query["debug"]
        if request.path.startswith(self.config.prefix + "/"):
            request.headers["x-original-path"] = request.path
            request.path = request.path.removeprefix(self.config.prefix)
        self.assigned.inc(version=version)

    def bucket(self, user: str) -> int:
        """0 to 99, the same for a user today and tomorrow, here and on every other machine."""
        digest = hashlib.sha256(f"{self.config.salt}:{user}".encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % 100
