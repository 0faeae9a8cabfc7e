"""What a claim is tried with: the running mesh, and who watches it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from meshext_controlplane.demo.visits import Answer, Customer, Visit
from meshext_controlplane.demo.watching import Watch
from meshext_controlplane.tap.calls import Call
from meshext_controlplane.up.instances import Instance
from meshext_controlplane.up.local_mesh import LocalMesh

NAMESPACE = "shop"
STOREFRONT = "http://storefront.shop"
CHECKOUT = "http://checkout.shop"
TRIES = 4
RECOMMENDATION = "http://recommendation.shop"


class ClaimFails(Exception):
    """A claim does not hold; the text says what was seen instead."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The mesh, and the records of what its sidecars tell."""

    mesh: LocalMesh
    watch: Watch

    def instance(self, name: str) -> Instance:
        """A workload by its name; ClaimFails where the mesh has none."""
        for each in self.mesh.instances:
            if each.name == name:
                return each
        raise ClaimFails(f"there is no workload {name}")

    @property
    def servers(self) -> list[Instance]:
        """Workloads that have ports."""
        return [each for each in self.mesh.instances if each.ports]

    def identity(self, instance: Instance) -> str:
        """The SPIFFE ID that a workload should have."""
        return identity_of(instance.service_account)

    def customer(self) -> Customer:
        """A connection through the customers' sidecar."""
        return Customer(self.instance("customers").proxy)

    async def call(self, visit: Visit) -> Answer:
        """One call as a customer."""
        async with self.customer() as customer:
            return await customer.call(visit)

    async def order(self, **headers: str) -> Answer:
        """An order of a new customer, again where rate-limit could not count it in time (a busy machine)."""
        lines = {"x-user": new_mark(), **headers}
        visit = Visit(url=f"{STOREFRONT}/orders", method="POST", headers=lines, body=b"{}")
        for attempt in range(TRIES):
            await asyncio.sleep(attempt)
            if (answer := await self.call(visit)).status != 503:
                break
        return answer

    async def logged(self, mark: str, node: str, count: int = 1) -> list[Call]:
        """What the sidecar of a workload has logged of requests with that mark."""
        return await self.watch.find_calls(
            lambda call: mark in call.path and call.node == f"{node}.{NAMESPACE}" and call.inbound, count
        )


def identity_of(account: str) -> str:
    """The SPIFFE ID of a service account of the shop."""
    return f"spiffe://cluster.local/ns/{NAMESPACE}/sa/{account}"


@dataclass(frozen=True, slots=True)
class Claim:
    """`text` is what is claimed; `holds` says what was seen, or raises ClaimFails."""

    text: str
    holds: Callable[[Stage], Awaitable[str]]


def new_mark() -> str:
    """A word that no other request has, to find a request again in logs and spans."""
    return f"m{secrets.token_hex(8)}"


def expect(true: bool, otherwise: str) -> None:
    """ClaimFails with that text unless it is true."""
    if not true:
        raise ClaimFails(otherwise)


def expect_status(answer: Answer, status: int, what: str) -> None:
    """ClaimFails unless the answer has that status."""
    expect(answer.status == status, f"{what}: {answer.told()}, expected {status}")


def only(calls: Iterable[Call], what: str) -> Call:
    """The first record; ClaimFails where none has come."""
    for call in calls:
        return call
    raise ClaimFails(f"no access log entry of {what} has arrived")
