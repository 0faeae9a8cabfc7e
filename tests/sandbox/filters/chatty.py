"""A filter that prints a lot, at once and in its hook, in long lines and with what drives a terminal."""

from __future__ import annotations

import sys

from meshext import Filter, Request

print("serving unix:/somewhere-else.sock")  # noqa: T201  # not the line that the starter waits for
print("x" * 200_000)  # noqa: T201


class Chatty(Filter):
    time_limit = 5.0  # half a megabyte goes through a pipe, on a machine that may be busy

    def on_request(self, request: Request) -> None:
        print(request.headers["x-say"], "y" * 200_000)  # noqa: T201
        print(request.headers["x-say"] * 100_000, file=sys.stderr)  # noqa: T201
