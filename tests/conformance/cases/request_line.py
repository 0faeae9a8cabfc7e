"""Method, scheme, host, path, target; and that the route is matched again."""

from __future__ import annotations

from meshext import Filter, Request
from meshext.testing import Reply
from tests.conformance.case import Arrives, Case, Gets, Send, note


class SetsMethod(Filter):
    def on_request(self, request: Request) -> None:
        request.method = "PUT"


class SetsScheme(Filter):
    def on_request(self, request: Request) -> None:
        note(request.scheme)
        request.scheme = "https"


class MakesHeadGet(Filter):
    def on_request(self, request: Request) -> None:
        request.method = "GET"


class SetsHost(Filter):
    def on_request(self, request: Request) -> None:
        request.host = "other.test:8080"


class SetsPath(Filter):
    def on_request(self, request: Request) -> None:
        request.path = "/new"


class SetsTarget(Filter):
    def on_request(self, request: Request) -> None:
        request.target = "/new?b=2"


class Reroutes(Filter):
    def on_request(self, request: Request) -> None:
        request.headers["x-route"] = "other"


class ReadsLine(Filter):
    def on_request(self, request: Request) -> None:
        note(request.method, request.scheme, request.host, request.path, request.target)


class ReroutesByBody(Filter):
    def on_request_body(self, request: Request) -> None:
        request.headers["x-route"] = request.body.decode()


CASES = (
    Case(name="method", filters=(SetsMethod,), arrives=Arrives(method="PUT")),
    Case(name="scheme", filters=(SetsScheme,), notes=(("http",),)),
    Case(
        name="head-becomes-get",
        filters=(MakesHeadGet,),
        send=Send(method="HEAD"),
        reply=Reply(body=b"abc"),
        arrives=Arrives(method="GET"),
        gets=Gets(body=b"", headers={"content-length": ("3",)}),
    ),
    Case(name="host", filters=(SetsHost,), arrives=Arrives(host="other.test:8080")),
    Case(
        name="path-keeps-the-query",
        filters=(SetsPath,),
        send=Send(target="/old?a=1&a=%20"),
        arrives=Arrives(target="/new?a=1&a=%20"),
    ),
    Case(
        name="target", filters=(SetsTarget,), send=Send(target="/old?a=1"), arrives=Arrives(target="/new?b=2")
    ),
    Case(name="route-is-matched-again", filters=(Reroutes,), arrives=Arrives(at="other")),
    Case(
        name="route-is-matched-again-by-body",
        filters=(ReroutesByBody,),
        send=Send(method="POST", body=b"other"),
        arrives=Arrives(at="other", body=b"other"),
    ),
    Case(
        name="line-is-read",
        filters=(ReadsLine,),
        send=Send(method="OPTIONS", target="/a/b?c=d", host="Example.test:81"),
        arrives=Arrives(method="OPTIONS", target="/a/b?c=d", host="Example.test:81"),
        notes=(("OPTIONS", "http", "Example.test:81", "/a/b", "/a/b?c=d"),),
    ),
)
