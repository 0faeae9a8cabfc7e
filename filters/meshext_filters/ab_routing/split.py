"""Who gets what: users fall into slots, and a table says whose each slot is.

A slot is 0.1 % of the users: a hash puts a user into one of 1,000, always the same. So a change of weights
moves users only where slots change hands, and a table is made once for each configuration.

Without anything before it, a table is dealt from the first name: all slots are its own, then each later
name takes as many as it has to from those, in an order of its own (a hash again). Where two names share the
users, or the last name changes, no slot moves that does not have to. With three names and more no rule that
only sees the weights of today can always do so: A to B, then B to C, then C to A has to come back to the same
table, so one slot would have to be everybody's next. That is why weights of before may be told, oldest first:
each step from them moves as few slots as there are to move, whatever changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

SLOTS = 1000
NOBODY = ""
ALL = tuple(range(SLOTS))
NUMBERS = tuple([str(slot).encode() for slot in ALL])
"""Every slot as text. What hundreds of orders have in common is made once, and lists are made as long as they
get: a module frees nothing while it is configured, and has 128 MiB for that."""


def slot_of(salt: str, user: str) -> int:
    """The slot of a user, 0 to 999; `salt` tells experiments and layers apart."""
    text = f"{salt}\0{user}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") % SLOTS


def deal(salt: str, steps: list[dict[str, int]], *, rest: str) -> list[str]:
    """Whose each slot is after the last of `steps`, the numbers of slots by name, oldest first.

    `rest` has what no name has. Two steps that differ by n slots differ in n places of their tables.
    """
    names: dict[str, None] = {rest: None}
    for step in steps:
        names.update(dict.fromkeys(step))
    if len(steps) == 1:  # an order takes 1,000 hashes, and where nothing or all is taken it says nothing
        names = {name: None for name, count in steps[0].items() if name != rest and 0 < count < SLOTS}
    orders = {name: preference(salt, name) for name in names}
    table = [rest] * SLOTS
    for name, count in steps[0].items():
        if name != rest:
            take(table, name, count, orders.get(name, ALL), rest)
    for step in steps[1:]:
        move(table, complete(step, rest), orders)
    return table


def complete(step: dict[str, int], rest: str) -> dict[str, int]:
    """The step with what is left for `rest`."""
    others = sum(count for name, count in step.items() if name != rest)
    return {**step, rest: SLOTS - others}


def move(table: list[str], wanted: dict[str, int], orders: dict[str, list[int]]) -> None:
    """Bring the table to these numbers: who has too many gives up what it likes least, no other moves."""
    free: set[int] = set()
    for name, order in orders.items():
        owned = [slot for slot in order if table[slot] == name]
        free.update(owned[wanted.get(name, 0) :])
    for name, order in orders.items():
        owned_now = sum(1 for slot in range(SLOTS) if table[slot] == name and slot not in free)
        missing = wanted.get(name, 0) - owned_now
        for slot in [slot for slot in order if slot in free][:missing]:
            table[slot] = name
            free.remove(slot)


def take(table: list[str], name: str, count: int, order: Sequence[int], owner: str) -> None:
    """Give the first slots of an order that are an owner's to a name."""
    for slot in order:
        if count == 0:
            return
        if table[slot] == owner:
            table[slot] = name
            count -= 1


def preference(salt: str, name: str) -> list[int]:
    """All slots in the order in which a name takes them: that of their digests, of which six bytes tell."""
    start = f"{salt}\0{name}\0".encode()
    order = [0] * SLOTS
    for slot, number in enumerate(NUMBERS):
        digest = hashlib.sha256(start + number).digest()
        order[slot] = int.from_bytes(digest[:6], "big") * SLOTS + slot
    order.sort()
    for place, rank in enumerate(order):
        order[place] = rank % SLOTS
    return order


def moved(before: list[str], after: list[str]) -> int:
    """How many slots changed hands."""
    return sum(1 for old, new in zip(before, after, strict=True) if old != new)
