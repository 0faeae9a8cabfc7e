"""A filter that guards, and does its worst first where a header asks for it: whoever sends that is denied."""

from __future__ import annotations

import os
import sys
import time

from meshext import Filter, Request, Respond

HEADER = "x-guard"
HOW = ("loop", "sleep", "raise", "exit", "grow", "print", "recurse", "die", "nonsense")
GROWN = 64 << 20  # bytes
PRINTED = 200_000  # characters


class Guard(Filter):
    """Denies what carries the header; how long that takes, and whether it lives, the header says."""

    time_limit = 0.3

    def on_request(self, request: Request) -> Respond | None:
        how = request.headers.get(HEADER)
        if how is None:
            return None
        misbehave(how)
        return Respond(403, body="guarded")


def misbehave(how: str) -> None:
    """What a filter can do to itself."""
    if how == "loop":
        while True:
            pass
    elif how == "sleep":
        time.sleep(3)
    elif how == "raise":
        raise RuntimeError("on purpose")
    elif how == "exit":
        raise SystemExit(0)
    elif how == "grow":
        kept = [bytearray(1 << 20) for _ in range(GROWN >> 20)]
        raise MemoryError(f"{len(kept)} MiB")
    elif how == "print":
        sys.stdout.write("x" * PRINTED)
    elif how == "recurse":
        misbehave(how)
    elif how == "die":
        os._exit(3)
