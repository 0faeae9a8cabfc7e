"""Sends requests at a steady rate, whatever becomes of them, until standard input ends.

python3 steady.py URL [--rate CALLS_A_SECOND] [--method GET] [--body TEXT] [--header NAME=VALUE]...

Each request has a connection of its own, so that none outlives a fault, and `{n}` in a header is its number.
The first line is `clock SECONDS`, now by the clock of all times that follow; then, as each request ends,
`DUE ENDED KIND`: when it should have been sent and when it was over, and its status or the kind of its
error. A status that Envoy gives has its words behind it: `503/no-healthy-upstream`. The last line is
`sent NUMBER`.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import SplitResult, urlsplit

PATIENCE = 10.0  # seconds for one request
SPARE = 16  # requests that may be open besides
WORDS = 120  # bytes of what Envoy says


class Sender:
    """Sends, and tells."""

    def __init__(self, url: SplitResult, method: str, body: str, headers: list[str]) -> None:
        self._url = url
        self._method = method
        self._body = body.encode() or None
        self._headers = dict(each.partition("=")[::2] for each in headers)
        self._lock = threading.Lock()

    def say(self, line: str) -> None:
        """One whole line."""
        with self._lock:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()

    def send(self, number: int, due: float) -> None:
        """One request."""
        try:
            kind = self._ask(number)
        except Exception as error:  # whatever it is, it is a request that failed
            kind = type(error).__name__
        self.say(f"{due:.4f} {time.monotonic():.4f} {kind}")

    def _ask(self, number: int) -> str:
        headers = {name: value.replace("{n}", str(number)) for name, value in self._headers.items()}
        connection = http.client.HTTPConnection(
            self._url.hostname or "", self._url.port or 80, timeout=PATIENCE
        )
        try:
            path = self._url._replace(scheme="", netloc="").geturl() or "/"
            connection.request(self._method, path, self._body, {"connection": "close", **headers})
            response = connection.getresponse()
            words = response.read(WORDS).decode(errors="replace")
            plain = response.getheader("content-type") == "text/plain"
            return f"{response.status}/{'-'.join(words.split())}" if plain else str(response.status)
        finally:
            connection.close()


def wait_for_the_end(over: threading.Event) -> None:
    """Until whoever wants the load closes our input."""
    sys.stdin.read()
    over.set()


def main() -> None:
    """Send at the rate that is asked for."""
    parser = argparse.ArgumentParser(description="a steady load for the suite")
    parser.add_argument("url", type=urlsplit)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--method", default="GET")
    parser.add_argument("--body", default="")
    parser.add_argument("--header", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args()
    over, number = threading.Event(), 0
    threading.Thread(target=wait_for_the_end, args=(over,), daemon=True).start()
    sender = Sender(given.url, given.method, given.body, given.header)
    with ThreadPoolExecutor(int(given.rate * PATIENCE) + SPARE) as pool:
        due = time.monotonic()
        sender.say(f"clock {due:.4f}")
        while not over.wait(max(0.0, due - time.monotonic())):
            pool.submit(sender.send, number, due)
            number += 1
            due += 1 / given.rate
    sender.say(f"sent {number}")


if __name__ == "__main__":
    main()
