"""Several filters: their order, the first Respond, the response in reverse, each with its own state."""

from __future__ import annotations

from dataclasses import dataclass

from meshext import Filter, Request, Respond, Response
from meshext.testing import Reply
from tests.conformance.case import Arrives, Case, Gets, Send, note


@dataclass
class Count:
    seen: int = 0


class Base(Filter):
    State = Count

    def __init__(self, mark: str = "") -> None:
        self.mark = mark

    def on_request(self, request: Request[Count]) -> Respond | None:
        request.state.seen += 1
        note(self.mark, "request", request.headers.get("x-by"))
        request.headers.add("x-by", self.mark)
        request.headers["x-by"] = ",".join(request.headers.get_all("x-by"))
        return None

    def on_response(self, response: Response[Count]) -> Respond | None:
        response.state.seen += 1
        note(self.mark, "response", response.state.seen, response.request.headers["x-by"])
        response.headers["x-by"] = response.headers.get("x-by", "") + self.mark
        return None


class One(Base):
    def __init__(self) -> None:
        super().__init__("1")


class Two(Base):
    def __init__(self) -> None:
        super().__init__("2")


class Three(Base):
    def __init__(self) -> None:
        super().__init__("3")


class Remembers(Filter):
    async def on_request(self, request: Request) -> None:
        note(await self.store.get("key"), await self.store.add("count", 2))
        await self.store.set("key", b"mine")


class RemembersToo(Remembers):
    pass


class Reads(Filter):
    """Nothing of it is for the response, which is not asked for on its account."""

    def on_request_body(self, request: Request) -> None:
        note("body", request.body)


class Flows(Filter):
    duplex = True

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes | None:
        return None


class Stamps(Filter):
    def on_request(self, request: Request) -> None:
        request.response_headers["x-stamp"] = "1"


class Stops(Base):
    def __init__(self) -> None:
        super().__init__("s")

    def on_request(self, request: Request[Count]) -> Respond | None:
        super().on_request(request)
        return Respond(403, headers={"x-stop": "1"}, body="stop")


class StopsAtResponse(Base):
    def __init__(self) -> None:
        super().__init__("r")

    def on_response(self, response: Response[Count]) -> Respond | None:
        super().on_response(response)
        return Respond(503, body="late")


class HeadersThenBody(Base):
    def __init__(self) -> None:
        super().__init__("b")

    def on_request_body(self, request: Request[Count]) -> Respond | None:
        note(self.mark, "body", request.body)
        request.body += b"+b"
        return Respond(413) if request.body == b"stop+b" else None

    def on_response_body(self, response: Response[Count]) -> None:
        note(self.mark, "response body", response.body)
        response.body += b"-b"


class BodyAfter(Base):
    def __init__(self) -> None:
        super().__init__("a")

    def on_request_body(self, request: Request[Count]) -> None:
        note(self.mark, "body", request.body)
        request.body += b"+a"

    def on_response_body(self, response: Response[Count]) -> None:
        note(self.mark, "response body", response.body)
        response.body += b"-a"


CASES = (
    Case(
        name="chain-in-order-and-back",
        filters=(One, Two, Three),
        arrives=Arrives(headers={"x-by": ("1,2,3",)}),
        gets=Gets(headers={"x-by": ("321",)}),
        notes=(
            ("1", "request", None),
            ("2", "request", "1"),
            ("3", "request", "1,2"),
            ("3", "response", 2, "1,2,3"),
            ("2", "response", 2, "1,2"),
            ("1", "response", 2, "1"),
        ),
    ),
    Case(
        name="chain-filters-have-stores-of-their-own",
        filters=(Remembers, RemembersToo),
        notes=((None, 2), (None, 2)),
    ),
    Case(
        name="chain-ends-at-the-first-answer",
        filters=(One, Stops, Three),
        arrives=None,
        gets=Gets(status=403, headers={"x-by": ("1",), "x-stop": ("1",)}, body=b"stop"),
        notes=(("1", "request", None), ("s", "request", "1"), ("1", "response", 2, "1")),
    ),
    Case(
        name="chain-response-answered-on-the-way",
        filters=(One, StopsAtResponse, Three),
        reply=Reply(headers={"x-up": "1"}, body=b"up"),
        gets=Gets(status=503, headers={"x-by": ("1",), "x-up": ()}, body=b"late"),
        notes=(
            ("1", "request", None),
            ("r", "request", "1"),
            ("3", "request", "1,r"),
            ("3", "response", 2, "1,r,3"),
            ("r", "response", 2, "1,r"),
            ("1", "response", 2, "1"),
        ),
    ),
    Case(
        name="chain-holds-at-a-body-hook",
        filters=(HeadersThenBody, One, BodyAfter),
        send=Send(method="POST", body=b"body"),
        reply=Reply(body=b"up"),
        arrives=Arrives(body=b"body+b+a", headers={"x-by": ("b,1,a",)}),
        gets=Gets(body=b"up-a-b", headers={"x-by": ("a1b",)}),
        notes=(
            ("b", "request", None),
            ("b", "body", b"body"),
            ("1", "request", "b"),
            ("a", "request", "b,1"),
            ("a", "body", b"body+b"),
            ("a", "response", 2, "b,1,a"),
            ("a", "response body", b"up"),
            ("1", "response", 2, "b,1"),
            ("b", "response", 2, "b"),
            ("b", "response body", b"up-a"),
        ),
    ),
    Case(
        name="chain-answer-passes-body-hooks-of-those-before",
        filters=(HeadersThenBody, Stops),
        send=Send(method="POST", body=b"body"),
        arrives=None,
        gets=Gets(status=403, body=b"stop-b", headers={"x-by": ("b",)}),
        notes=(
            ("b", "request", None),
            ("b", "body", b"body"),
            ("s", "request", "b"),
            ("b", "response", 2, "b"),
            ("b", "response body", b"stop"),
        ),
    ),
    Case(
        name="chain-answer-by-body-skips-those-behind",
        filters=(HeadersThenBody, One),
        send=Send(method="POST", body=b"stop"),
        arrives=None,
        gets=Gets(status=413, headers={"x-by": ()}),
        notes=(("b", "request", None), ("b", "body", b"stop")),
    ),
    Case(
        name="chain-headers-for-the-response-behind-a-held-body",
        filters=(Reads, Stamps),
        send=Send(method="POST", body=b"body"),
        gets=Gets(headers={"x-stamp": ("1",)}),
        notes=(("body", b"body"),),
    ),
    Case(
        name="chain-headers-for-the-response-beside-full-duplex",
        filters=(Stamps, Flows),
        send=Send(method="POST", body=b"body"),
        arrives=Arrives(body=b"body"),
        gets=Gets(headers={"x-stamp": ("1",)}),
    ),
)
