"""Work as policies and programs do it, timed by itself: in this process and inside Envoy alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from meshext import Filter, Request, Respond

WORDS = (
    "GET /api/orders/17 accept text/html x-user ann x-tenant acme cookie a=b cache-control no-store".split()
)
PRIME = 2147483647


def add(count: int) -> int:
    """A loop that adds."""
    total = 0
    for number in range(count):
        total += number & 7
    return total


def nested(count: int) -> int:
    """Loops in a loop, with conditions."""
    found = 0
    for outer in range(count // 50):
        for inner in range(50):
            if (outer + inner) % 3 == 0 or inner > outer:
                found += 1
    return found


def mixed(count: int) -> int:
    """A while loop with a product and a remainder."""
    state, left = 1, count
    while left > 0:
        state = state * 48271 % PRIME
        left -= 1
    return state


def floats(count: int) -> int:
    """A loop over floats."""
    total = 0.0
    for number in range(count):
        total = total * 0.5 + number * 1.5
    return int(total)


def lists(count: int) -> int:
    """A list that is filled, changed, filtered and gone through."""
    items: list[int] = []
    for number in range(count // 4):
        items.append(number * 7 % 1000)
    for index in range(len(items)):
        items[index] += 1
    return sum([each for each in items if each > 100]) + len(sorted(items)[:10])


def dicts(count: int) -> int:
    """A dict that counts."""
    counts: dict[int, int] = {}
    for number in range(count // 4):
        key = number * 7 % 300
        counts[key] = counts.get(key, 0) + 1
    return sum(counts.values()) + len(counts)


def named(count: int) -> int:
    """A dict with texts for keys."""
    counts: dict[str, int] = {}
    for number in range(count // 8):
        word = WORDS[number % len(WORDS)]
        if word in counts:
            counts[word] += 1
        else:
            counts[word] = 1
    return len(counts)


def texts(count: int) -> int:
    """Texts that are built out of pieces."""
    lines: list[str] = []
    for number in range(count // 40):
        word = WORDS[number % len(WORDS)]
        lines.append(f"{word}: {number};" + word.upper().replace("A", "-"))
    return len("\n".join(lines).split("\n"))


WORK: dict[str, Callable[[int], int]] = {
    "loop, adding": add,
    "loops in a loop": nested,
    "loop, remainders": mixed,
    "loop, floats": floats,
    "lists": lists,
    "dicts of ints": dicts,
    "dicts of texts": named,
    "texts": texts,
}


def run_timed(name: str, count: int) -> tuple[int, int]:
    """What some work gives, and the nanoseconds that it took."""
    work = WORK[name]
    began = time.perf_counter_ns()
    result = work(count)
    return result, time.perf_counter_ns() - began


class Working(Filter):
    """Does the work that the request names, and answers what came out and how long it took."""

    @dataclass(frozen=True)
    class Config:
        """Nothing to say."""

    def on_request(self, request: Request) -> Respond | None:
        """`/?work=texts&count=1000`."""
        result, took = run_timed(request.query["work"], int(request.query["count"]))
        return Respond(200, body=f"{result} {took}")
