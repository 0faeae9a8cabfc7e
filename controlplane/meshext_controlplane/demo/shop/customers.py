"""The customers: visits to the shop, some less polite. `VISITS` is how many a second, 0 for none."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import time

from meshext_controlplane.demo.shop.web import Asked, call

STOREFRONT = "http://storefront.shop"
CHECKOUT = "http://checkout.shop"
VISITORS = 200
VISITS = (
    (50, "GET", f"{STOREFRONT}/recommendations"),
    (25, "GET", f"{STOREFRONT}/"),
    (15, "POST", f"{STOREFRONT}/orders"),
    (6, "GET", f"{STOREFRONT}/admin"),  # the mesh's policy says no
    (4, "POST", f"{CHECKOUT}/orders"),  # past the storefront: the checkout's policy says no
)
"""Weight, method and URL."""

GREEDY = "greedy"
EVERY = 4  # one of so many visits is an order of the greedy one, until the rate limit says no


def visit(number: int) -> None:
    """One visit, whatever comes of it."""
    if number % EVERY == 0:
        user, method, url = GREEDY, "POST", f"{STOREFRONT}/orders"
    else:
        user = f"user-{random.randrange(VISITORS)}"
        (_, method, url), *_ = random.choices(VISITS, [weight for weight, _, _ in VISITS])
    call(Asked(method, url, headers={"x-user": user}), method, url, {} if method == "POST" else None)


def main() -> None:
    """Visit at that pace until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    rate = float(os.environ.get("VISITS", "5"))
    if rate <= 0:
        signal.pause()
    due = time.monotonic()
    for number in itertools.count():
        due = max(due + 1 / rate, time.monotonic() - 1)
        time.sleep(max(0.0, due - time.monotonic()))
        visit(number)


if __name__ == "__main__":
    main()
