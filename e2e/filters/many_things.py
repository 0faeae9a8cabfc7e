"""What only a filter has: its name, the SDK's errors, a generator that outlives a hook, lines of a log."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from meshext import Filter, HeaderError, MeshextError, Request, Respond, Response, UndeclaredError

log = logging.getLogger(__name__)


class Refused(MeshextError):
    pass


def numbers(text: str) -> Iterator[str]:
    held: list[str] = []
    for count in range(1000):
        held.append(f"{text}{count}")
        yield held[-1]


class Named(Filter):
    def tell(self) -> str:
        return self.name


class ManyThings(Named):
    class State:
        def __init__(self) -> None:
            self.numbers: Iterator[str] = numbers("n")

    def on_request(self, request: Request[State]) -> Respond | None:
        request.headers["x-name"] = f"{self.name} {self.tell()}"
        request.headers["x-first"] = next(request.state.numbers)
        for number in range(int(request.headers.get("x-lines", "0"))):
            log.warning("line %d", number)
        if "x-long" in request.headers:
            log.warning("x" * 100_000)
        return self.refuse(request)

    def refuse(self, request: Request[State]) -> Respond | None:
        found: list[str] = []
        try:
            request.headers["x bad"] = "1"
        except MeshextError as error:
            found.append("header" if isinstance(error, HeaderError) else "other")
        try:
            request.metadata["nowhere"]
        except MeshextError as error:
            found.append("undeclared" if isinstance(error, UndeclaredError) else "other")
        try:
            raise Refused("own")
        except MeshextError as error:
            found.append(str(error))
        try:
            int("x")
        except MeshextError:
            found.append("never")
        except ValueError:
            found.append("plain")
        request.headers["x-caught"] = " ".join(found)
        return None

    def on_response(self, response: Response[State]) -> None:
        numbers = response.request.state.numbers
        response.headers["x-next"] = next(numbers)
        response.headers["x-sum"] = str(sum(len(each) for each in numbers))
        log.warning("responded")


class Called(Named):
    name = "of-another-name"

    def on_request(self, request: Request) -> None:
        request.headers["x-name"] = f"{self.name} {self.tell()}"
