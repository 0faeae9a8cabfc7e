"""Visits to the shop as its customers make them, and what sidecars tell of them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from e2e.compose.project import Project
from e2e.compose.waiting import wait_for
from e2e.prometheus import Prometheus

CUSTOMER = "customers-app"
STOREFRONT, CHECKOUT, RECOMMENDATION = "http://storefront", "http://checkout", "http://recommendation"
RECOMMENDATIONS = f"{STOREFRONT}/recommendations"
ORDERS = f"{STOREFRONT}/orders"
ROUNDS = 8  # visits after which every path through the shop was probably taken

Answer = Mapping[str, Any]
Request = Mapping[str, Any]


def new_mark() -> str:
    """A word that no other request has, to find a request again in logs and spans; also a new user."""
    return f"m{secrets.token_hex(8)}"


def get(url: str, **headers: str) -> Request:
    """A GET; `x_user` becomes the header x-user."""
    return {"url": url, "headers": {name.replace("_", "-"): value for name, value in headers.items()}}


def order(user: str = "", *, url: str = ORDERS, **headers: str) -> Request:
    """An order of that user, or of a new one."""
    asked = get(url, x_user=user or new_mark(), **headers)
    return {**asked, "method": "POST", "body": "{}"}


def visit(shop: Project, request: Request, service: str = CUSTOMER) -> Answer:
    """What comes back to one request."""
    (answer,) = shop.send(service, [request])
    return answer


def status_of(answer: Answer) -> int:
    """The status; 0 where nobody has answered."""
    return int(answer.get("status", 0))


def value_of(answer: Answer) -> Any:
    """What the body's JSON is; None where it is none."""
    try:
        return json.loads(answer.get("body", ""))
    except ValueError:
        return None


def versions(shop: Project, users: Iterable[str], **headers: str) -> list[str]:
    """Which version of the recommendations each user sees; the status where none."""
    answers = shop.send(CUSTOMER, [get(RECOMMENDATIONS, x_user=user, **headers) for user in users])
    return [
        value_of(each)["version"] if status_of(each) == 200 else str(each.get("status") or each["error"])
        for each in answers
    ]


def settled(shop: Project) -> bool:
    """Whether orders and recommendations are answered by every door, again and again."""
    asked = [order() for _ in range(ROUNDS)] + [
        get(RECOMMENDATIONS, x_user=new_mark()) for _ in range(ROUNDS)
    ]
    return all(status_of(each) in (200, 201) for each in shop.send(CUSTOMER, asked))


def tell(shop: Project, what: str) -> list[dict[str, Any]]:
    """What the receiver has of `calls?TEXT` or `spans?TRACE`."""
    found = value_of(shop.call("receiver", f"http://127.0.0.1:8000/{what}"))
    assert isinstance(found, list)
    return found


def logged(shop: Project, mark: str, workload: str, count: int = 1) -> Sequence[Mapping[str, Any]]:
    """At least so many calls with that mark in their path which a workload's sidecar has let in or refused.

    `workload` may be the beginning of a name: `storefront` is both.
    """

    def found() -> list[dict[str, Any]]:
        calls = [each for each in tell(shop, f"calls?{mark}") if each["node"].startswith(workload)]
        return calls if len(calls) >= count else []

    return wait_for(f"{count} calls with {mark} are in the logs of {workload}", found)


def metrics(shop: Project) -> Prometheus:
    """The shop's Prometheus."""
    return Prometheus(shop.published("prometheus", 9090))


def identity_of(account: str) -> str:
    """The SPIFFE ID of a service account of the shop."""
    return f"spiffe://cluster.local/ns/shop/sa/{account}"


def eventually(shop: Project, what: str, request: Request, status: int) -> None:
    """Wait until every answer to the request has that status: proxies take an edit one by one."""

    def seen() -> set[int]:
        return set(map(status_of, shop.send(CUSTOMER, [request] * ROUNDS)))

    wait_for(what, lambda: seen() == {status})
