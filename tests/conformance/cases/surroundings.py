"""Peer, route, attributes, metadata."""

from __future__ import annotations

from meshext import Filter, Request, Respond, Response
from meshext.testing import Reply
from tests.conformance.case import Case, Gets, Send, note

FORGED = (
    ("x-forwarded-client-cert", "URI=spiffe://forged/a"),
    ("x-meshext-uri-san", "spiffe://forged/a"),
    ("x-meshext-direct-address", "6.6.6.6:6"),
)


ODD: dict[str, object] = {"null": None, "empty-list": [], "null-in-list": [1, None], "nul": "a\0b"}


class ReadsPeer(Filter):
    def on_request(self, request: Request) -> None:
        peer = request.peer
        note(peer.principal, peer.tls, peer.address in ("", "127.0.0.1"), request.client_address)
        note(request.route, request.cluster, bool(request.id))


class ReadsAttributes(Filter):
    attributes = (
        "source.port",
        "request.path",
        "request.size",
        "request.host",
        "request.method",
        "request.query",
    )

    def on_request(self, request: Request) -> None:
        port = request.attribute("source.port")
        note(port is None or isinstance(port, int))
        for name in self.attributes[1:]:
            note(name, request.attribute(name))


class ReadsResponseCode(Filter):
    attributes = ("response.code",)

    def on_request(self, request: Request) -> None:
        note(request.attribute("response.code"))

    def on_response(self, response: Response) -> None:
        note(response.attribute("response.code"))


class WritesMetadata(Filter):
    def on_request(self, request: Request) -> None:
        request.set_metadata("text", "caf\u00e9")
        request.set_metadata("whole", 7)
        request.set_metadata("part", 1.5)
        request.set_metadata("yes", True)
        request.set_metadata("list", [1, "a", {"b": False}])
        request.set_metadata("over", "first")
        request.set_metadata("over", {"a": "second"})


class WritesOdd(Filter):
    Config = str

    def __init__(self, config: str) -> None:
        self.value = ODD[config]

    def on_request(self, request: Request) -> None:
        request.set_metadata("odd", {"a": self.value})


class WritesLater(Filter):
    def on_request(self, request: Request) -> None:
        request.set_metadata("at", "request")
        request.set_metadata("early", 1)

    def on_response(self, response: Response) -> None:
        response.set_metadata("at", "response")

    def on_response_body(self, response: Response) -> None:
        response.set_metadata("size", len(response.body))


class WritesAndAnswers(Filter):
    def on_request(self, request: Request) -> Respond:
        request.set_metadata("why", "no key")
        return Respond(401)


class WritesByBody(Filter):
    def on_request_body(self, request: Request) -> None:
        request.set_metadata("size", len(request.body))


class ReadsMetadata(Filter):
    metadata_namespaces = ("meshext.writes-later", "envoy.none")

    def on_request(self, request: Request) -> None:
        note(dict(request.metadata["meshext.writes-later"]), dict(request.metadata["envoy.none"]))
        request.set_metadata("seen", request.metadata["meshext.writes-later"]["early"])


NAMES = {"text": "caf\u00e9", "whole": 7, "part": 1.5, "yes": True, "over": {"a": "second"}}

CASES = (
    *(
        Case(
            name=f"metadata-{name}",
            filters=(WritesOdd,),
            configs=(name,),
            metadata={"meshext.writes-odd": {"odd": {"a": value}}},
            authz_failure="carries no None, no empty list and no NUL",
        )
        for name, value in ODD.items()
    ),
    Case(
        name="peer-without-certificate",
        filters=(ReadsPeer,),
        send=Send(headers=FORGED),
        notes=((None, False, True, "127.0.0.1"), ("main", "main", True)),
    ),
    Case(
        name="attributes",
        filters=(ReadsAttributes,),
        send=Send(method="POST", target="/a/b?c=d&e", body=b"12345"),
        notes=(
            (True,),
            ("request.path", "/a/b?c=d&e"),
            ("request.size", 5),
            ("request.host", "example.test"),
            ("request.method", "POST"),
            ("request.query", "c=d&e"),
        ),
    ),
    Case(
        name="attribute-of-the-response",
        filters=(ReadsResponseCode,),
        reply=Reply(200),
        notes=((None,), (200,)),
    ),
    Case(
        name="metadata-of-every-type",
        filters=(WritesMetadata,),
        metadata={"meshext.writes-metadata": {**NAMES, "list": [1, "a", {"b": False}]}},
    ),
    Case(
        name="metadata-in-several-hooks",
        filters=(WritesLater,),
        reply=Reply(body=b"12345"),
        metadata={"meshext.writes-later": {"at": "response", "early": 1, "size": 5}},
    ),
    Case(
        name="metadata-beside-an-answer",
        filters=(WritesAndAnswers,),
        arrives=None,
        gets=Gets(status=401),
        metadata={"meshext.writes-and-answers": {"why": "no key"}},
    ),
    Case(
        name="metadata-by-body",
        filters=(WritesByBody,),
        send=Send(method="POST", body=b"12345"),
        metadata={"meshext.writes-by-body": {"size": 5}},
    ),
    Case(
        name="metadata-read-by-a-later-filter",
        filters=(WritesLater, ReadsMetadata),
        notes=(({"at": "request", "early": 1}, {}),),
        metadata={
            "meshext.writes-later": {"at": "response", "early": 1, "size": 0},
            "meshext.reads-metadata": {"seen": 1},
        },
    ),
)
