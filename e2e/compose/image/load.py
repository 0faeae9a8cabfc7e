"""Calls a URL again and again until standard input ends, then prints one line of JSON.

python3 load.py URL --rate CALLS_A_SECOND      each call is a connection of its own, so none outlives a fault

{"sent", "failed": {"what": count}, "first_failure", "last_failure", "slowest"}; times in seconds since the
start, null where nothing failed. What failed is a status other than 200, or the kind of an error.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from e2e.compose.image.call import call_http
else:
    from call import call_http  # beside this file, where it runs

WORKERS = 64


class Load:
    """Calls that are counted."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._failures: list[float] = []
        self._failed: Counter[str] = Counter()
        self._sent = 0
        self._slowest = 0.0

    def call(self) -> None:
        """One call."""
        began = time.monotonic()
        try:
            status = call_http(self._url, {"connection": "close"})["status"]
            failed = "" if status == 200 else str(status)
        except Exception as error:  # whatever it is, it is a call that failed
            failed = type(error).__name__
        ended = time.monotonic()
        with self._lock:
            self._sent += 1
            self._slowest = max(self._slowest, ended - began)
            if failed:
                self._failed[failed] += 1
                self._failures.append(ended - self._began)

    def tell(self) -> str:
        """What has come of it."""
        told = {
            "sent": self._sent,
            "failed": dict(self._failed),
            "first_failure": min(self._failures, default=None),
            "last_failure": max(self._failures, default=None),
            "slowest": self._slowest,
        }
        return json.dumps(told)


def wait_for_the_end(over: threading.Event) -> None:
    """Until whoever wants the load closes our input."""
    sys.stdin.read()
    over.set()


def main() -> None:
    """Call at the rate that is asked for."""
    parser = argparse.ArgumentParser(description="load for the suite")
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=20.0)
    given = parser.parse_args()
    over = threading.Event()
    threading.Thread(target=wait_for_the_end, args=(over,), daemon=True).start()
    load = Load(given.url)
    with ThreadPoolExecutor(WORKERS) as pool:
        due = time.monotonic()
        while not over.wait(max(0.0, due - time.monotonic())):
            pool.submit(load.call)
            due += 1 / given.rate
    sys.stdout.write(load.tell() + "\n")


if __name__ == "__main__":
    main()
