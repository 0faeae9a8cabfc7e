"""API keys: the configuration has only their hashes, and the upstream learns who called but never the key."""

import hashlib
import hmac
import re
from dataclasses import dataclass

from meshext import Counter, Filter, Request, Respond


class ApiKey(Filter):
    """Refuses whoever has no key, and tells the upstream the caller's name in `x-caller`."""

    @dataclass(frozen=True)
    class Config:
        """`keys`: the SHA-256 of each caller's key, in hex, by the caller's name."""

        keys: dict[str, str]
        header: str = "x-api-key"

        def __post_init__(self) -> None:
            for caller, digest in self.keys.items():
                if not re.fullmatch("[0-9a-f]{64}", digest):
                    raise ValueError(f"keys.{caller} is not a SHA-256 in hex, as `sha256sum` prints it")

    refused = Counter("api_key_refused_total")

    def __init__(self, config: Config) -> None:
        self.header = config.header
        self.keys = config.keys

    def on_request(self, request: Request) -> Respond | None:
        """Exactly one key, of a caller we know."""
        given = request.headers.get_all(self.header)
        caller = self.find_caller(given[0]) if len(given) == 1 else None
        if caller is None:
            self.refused.inc()
            return Respond(401, headers={"www-authenticate": 'ApiKey realm="api"'}, body="no such key\n")
        del request.headers[self.header]
        request.headers["x-caller"] = caller  # replaces whatever the client claimed to be
        return None

    def find_caller(self, key: str) -> str | None:
        """Whose key it is; takes as long for a wrong one as for a right one."""
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
        found = None
        for caller, known in self.keys.items():
            if hmac.compare_digest(digest, known):
                found = caller
        return found
