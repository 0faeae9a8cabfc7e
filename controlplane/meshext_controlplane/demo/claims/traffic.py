"""Claims about shares and limits, by numbers."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from meshext_controlplane.demo.claims.stage import STOREFRONT, Stage, expect, new_mark
from meshext_controlplane.demo.visits import Answer, Visit

SHARES = {"v1": 0.7, "v2": 0.3}  # mesh/filters.yaml
USERS, AGAIN = 500, 50
SIGMAS = 5.0
AT_ONCE = 8  # connections

BURST, REFILL = 5, 60.0  # mesh/filters.yaml: so many orders a user, all of them again after so many seconds
ORDERS = 20
TRIES, PAUSE = 5, 1.0  # bursts, and seconds after the first; more after each


async def the_split_is_kept(stage: Stage) -> str:
    """ab-routing gives each version its share of users, and a user always the same one."""
    run = new_mark()
    users = [f"{run}-{number}" for number in range(USERS)]
    first = await versions_of(stage, users)
    seen = Counter(first)
    check_shares(seen, SHARES)
    again = await versions_of(stage, users[:AGAIN])
    changed = sum(one != other for one, other in zip(first, again, strict=False))
    expect(changed == 0, f"{changed} of {AGAIN} users got another version the second time")
    told = ", ".join(f"{version} {seen[version] / USERS:.1%}" for version in sorted(seen))
    return f"{USERS} users: {told}; {AGAIN} came again and got the same"


def check_shares(seen: Mapping[str, int], shares: Mapping[str, float]) -> None:
    """ClaimFails where a version got more or fewer users than chance explains (five standard deviations:
    one run in 1.7 million is refused wrongly), or anything else answered."""
    total = sum(seen.values())
    expect(set(seen) <= set(shares), f"answers came from {dict(seen)}")
    for version, share in shares.items():
        room = SIGMAS * math.sqrt(total * share * (1 - share))
        got = seen.get(version, 0)
        expect(
            abs(got - total * share) <= room,
            f"{version} got {got} of {total} users, expected {total * share:g} +- {room:.0f}",
        )


async def versions_of(stage: Stage, users: Sequence[str]) -> list[str]:
    """Which version answered each user; `?` and what came instead where none did."""
    visits = [Visit(url=f"{STOREFRONT}/recommendations", headers={"x-user": user}) for user in users]
    return [
        str(answer.value.get("version")) if answer.status == 200 else f"? {answer.told()}"
        for answer in await call_all(stage, visits)
    ]


async def the_limit_holds(stage: Stage) -> str:
    """rate-limit lets each user order so often and no more, whatever others do.

    It refuses with 503 what it can not count within 25 ms, which happens where twenty processes wait for one
    core. Such a burst proves only that no more passed than may; then another user tries.
    """
    for attempt in range(1, TRIES + 1):
        user = new_mark()
        seen, most = await order_often(stage, user)
        expect(set(seen) <= {201, 429, 503}, f"answers were {dict(seen)}")
        expect(seen[201] <= most, f"{seen[201]} of {ORDERS} orders passed, expected {most} at most")
        if not seen[503]:
            break
        await asyncio.sleep(PAUSE * attempt)
    expect(not seen[503], f"{TRIES} bursts had orders that could not be counted in time; the machine is busy")
    expect(seen[201] >= BURST, f"{seen[201]} of {ORDERS} orders passed, expected {BURST}")
    logged = await stage.logged(user, "storefront", ORDERS)
    by_limit = sum(call.refused_by == "rate-limit" for call in logged)
    expect(by_limit == seen[429], f"{by_limit} entries of the log name rate-limit, {seen[429]} were refused")
    free = await stage.order()
    expect(free.status == 201, f"another user's order: {free.told()}")
    tries = "" if attempt == 1 else f" (burst {attempt})"
    return f"{seen[201]} of {ORDERS} orders of a user passed, {seen[429]} got 429; another's passed{tries}"


async def order_often(stage: Stage, user: str) -> tuple[Counter[int], int]:
    """A burst of orders of one user: how often each status came, and how many may have passed."""
    visit = Visit(url=f"{STOREFRONT}/orders?{user}", method="POST", headers={"x-user": user})
    begun = time.monotonic()
    answers = await call_all(stage, [visit] * ORDERS)
    elapsed = time.monotonic() - begun
    refused = [answer for answer in answers if answer.status == 429]
    expect(all("retry-after" in answer.headers for answer in refused), "a 429 came without retry-after")
    return Counter(answer.status for answer in answers), BURST + math.ceil(elapsed * BURST / REFILL)


async def call_all(stage: Stage, visits: Sequence[Visit]) -> list[Answer]:
    """All answers in order, over a few connections at once."""
    answers: dict[int, Answer] = {}
    left = iter(enumerate(visits))

    async def work() -> None:
        async with stage.customer() as customer:
            for number, visit in left:
                answers[number] = await customer.call(visit)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return [answers[number] for number in range(len(visits))]
