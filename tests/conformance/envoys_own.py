"""Cases that need the real Envoy: what it decides itself, before or behind the filter."""

from __future__ import annotations

from dataclasses import replace

from meshext import Exchange, Filter, Request, Respond, Response
from meshext.testing import Reply
from tests.conformance.case import REFUSED, Arrives, Case, Gets, Send, note


class Sees(Filter):
    def on_request(self, request: Request) -> None:
        note(request.path, request.host)


class SeesBoth(Sees):
    def on_response(self, response: Response) -> None:
        note(response.status)
        response.headers["x-seen"] = response.request.path


class AnswersConnect(Filter):
    def on_request(self, request: Request) -> Respond:
        note(request.method, request.host, request.path, request.target)
        return Respond(405)


class ReadsLargeResponse(Filter):
    max_body = 1 << 24

    def on_response_body(self, response: Response) -> None:
        note(len(response.body))


class ReadsLargeRequest(Filter):
    max_body = 1 << 22

    def on_request_body(self, request: Request) -> None:
        note(len(request.body))


class RemovesAll(Filter):
    def on_request(self, request: Request) -> None:
        for name in list(request.headers):
            if name != "x-forwarded-proto":
                del request.headers[name]


class Completes(Filter):
    def on_request(self, request: Request) -> None:
        note("began", request.path)

    def on_complete(self, exchange: Exchange) -> None:
        note("ended", exchange.status, exchange.response is None)


class RemovesProtocol(Filter):
    def on_request(self, request: Request) -> None:
        del request.headers["x-forwarded-proto"]


class RemovesAllOfResponse(Filter):
    def on_response(self, response: Response) -> None:
        for name in set(response.headers) - {"content-length"}:
            del response.headers[name]


def normalised(name: str, sent: str, path: str) -> Case:
    """The filter decides on the path that the upstream gets."""
    return Case(
        name=f"path-{name}",
        filters=(Sees,),
        send=Send(target=sent),
        arrives=Arrives(target=path),
        notes=((path, "example.test"),),
    )


def bypassing(filter_: type[Filter], name: str, send: Send, status: int) -> Case:
    """Envoy answers by itself before the filter saw a request, so the filter sees nothing."""
    return Case(
        name=f"own-answer-{name}-{filter_.name}",
        filters=(filter_,),
        send=send,
        arrives=None,
        gets=Gets(status=status, headers={"x-seen": ()}),
        notes=(),
    )


ILLEGAL = (
    ("underscore", Send(headers=(("x_user", "root"),)), 400),
    ("two-lengths", Send(headers=(("content-length", "1"), ("content-length", "2")), body=b"ab"), 400),
    ("headers-too-large", Send(headers=(("x-large", "x" * 70_000),)), 431),
)
HUNG_UP = Gets(status=0, reset=True)

HANGS_UP = Case(
    name="client-hangs-up",
    filters=(Completes,),
    send=Send(method="POST", headers=(("content-length", "10"),), body=b"123"),
    notes=(("began", "/"), ("ended", None, True)),
)

CASES = (
    normalised("double-slash", "//admin", "/admin"),
    normalised("dot", "/./admin", "/admin"),
    normalised("dot-dot", "/a/../admin", "/admin"),
    normalised("encoded-slash", "/a%2fadmin", "/a/admin"),
    normalised("encoded-dots", "/a/%2e%2e/admin", "/admin"),
    normalised("encoded-letter", "/%61dmin", "/admin"),
    normalised("backslash", "/a\\admin", "/a/admin"),
    *(bypassing(filter_, "fragment", Send(target="/a#b"), 400) for filter_ in (Sees, SeesBoth)),
    *(
        bypassing(filter_, "asterisk", Send(method="OPTIONS", target="*"), 404)
        for filter_ in (Sees, SeesBoth)
    ),
    *(bypassing(Sees, name, send, status) for name, send, status in ILLEGAL),
    # Envoy hangs up without its own answer where ext_proc has to be shown the response first
    *(replace(bypassing(SeesBoth, name, send, 0), gets=HUNG_UP) for name, send, _ in ILLEGAL),
    Case(
        name="connect-has-no-path",
        filters=(AnswersConnect,),
        send=Send(method="CONNECT", target="example.test:443", host="example.test:443"),
        arrives=None,
        gets=Gets(status=405),
        notes=(("CONNECT", "example.test:443", "", ""),),
        unseen_by_authz=404,
    ),
    Case(
        name="large-response",
        filters=(ReadsLargeResponse,),
        reply=Reply(body=b"x" * (5 << 20)),
        gets=Gets(body=b"x" * (5 << 20)),
        notes=((5 << 20,),),
    ),
    Case(
        name="large-request",
        filters=(ReadsLargeRequest,),
        send=Send(method="POST", body=b"x" * (1 << 22)),
        arrives=Arrives(body=b"x" * (1 << 22)),
        notes=((1 << 22,),),
    ),
    Case(
        name="all-headers-removed-that-may-be",
        filters=(RemovesAll,),
        send=Send(headers=(("x-a", "1"),)),
        arrives=Arrives(headers={"x-a": (), "x-request-id": ()}),
    ),
    Case(
        name="the-protocol-is-needed-for-routes",
        filters=(RemovesProtocol,),
        arrives=None,
        gets=REFUSED,
        failure="x-forwarded-proto",
    ),
    Case(
        name="all-response-headers-removed",
        filters=(RemovesAllOfResponse,),
        reply=Reply(headers={"x-up": "1"}, body=b"abc"),
        gets=Gets(headers={"x-up": ()}, body=b"abc"),
    ),
)
