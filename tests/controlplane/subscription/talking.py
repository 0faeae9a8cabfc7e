"""A session that a test talks to directly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from meshext_controlplane.snapshot import Resource, build_snapshot
from meshext_controlplane.subscription.delta import DeltaSubscription
from meshext_controlplane.subscription.differences import Differences
from meshext_controlplane.subscription.messages import DeltaRequest, Push, Receipt, StateRequest
from meshext_controlplane.subscription.references import References
from meshext_controlplane.subscription.session import Session
from meshext_controlplane.subscription.state import StateSubscription


class Talk:
    """`say` is a request, `hear` what is sent then: all pushes, or exactly one."""

    def __init__(
        self,
        *resources: Resource,
        delta: bool,
        before: Iterable[Iterable[Resource]] = (),
        warming: Iterable[str] = (),
    ) -> None:
        self._delta = delta
        subscribe: Any = DeltaSubscription if delta else StateSubscription
        self.session: Session[Any] = Session(
            subscribe,
            build_snapshot(resources),
            References(),
            Differences(),
            label="s",
            before=[build_snapshot(each) for each in before],
            warming=warming,
        )

    def say(self, type_url: str, **fields: Any) -> Receipt:
        made: Any = DeltaRequest if self._delta else StateRequest
        return self.session.receive(made(type_url=type_url, **fields))

    def serve(self, *resources: Resource) -> None:
        self.session.serve(build_snapshot(resources))

    def hear_all(self) -> list[Push]:
        found = []
        while (push := self.session.next_push()) is not None:
            found.append(push)
        return found

    def hear(self) -> Push:
        (push,) = self.hear_all()
        return push

    def ack(self, push: Push, **fields: Any) -> Receipt:
        if not self._delta:
            fields = {"version": push.version, **fields}
        return self.say(push.type_url, nonce=push.nonce, **fields)

    def nack(self, push: Push, error: str, **fields: Any) -> Receipt:
        return self.say(push.type_url, nonce=push.nonce, error=error, **fields)


def names(push: Push) -> list[str]:
    return [resource.name for resource in push.resources]
