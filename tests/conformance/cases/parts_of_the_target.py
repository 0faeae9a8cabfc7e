"""Query, cookies, and targets that tempt to guess."""

from __future__ import annotations

from meshext import Filter, Request
from tests.conformance.case import Arrives, Case, Send, note


class ReadsQuery(Filter):
    def on_request(self, request: Request) -> None:
        query = request.query
        note(query.items(), list(query), query.get("a"), query.get_all("a"), query.get("none"))


class ChangesQuery(Filter):
    Config = str

    def __init__(self, config: str) -> None:
        self.what = config

    def on_request(self, request: Request) -> None:
        match self.what:
            case "set":
                request.query["b"] = "x y&z"
            case "set-new":
                request.query["new"] = "1"
            case "add":
                request.query.add("a", "3")
            case "del":
                del request.query["a"]
            case "del-all":
                request.query.clear()


class ReadsCookies(Filter):
    def on_request(self, request: Request) -> None:
        cookies = request.cookies
        note({name: cookies[name] for name in cookies}, cookies.get("none"))


class ReadsTarget(Filter):
    def on_request(self, request: Request) -> None:
        note(request.path, request.target)


class ReadsHost(Filter):
    def on_request(self, request: Request) -> None:
        note(request.host, request.hostname)


TARGET = "/p?a=1&b=%20&a=2&c"


def changes(change: str, target: str) -> Case:
    return Case(
        name=f"query-{change}",
        filters=(ChangesQuery,),
        configs=(change,),
        send=Send(target=TARGET),
        arrives=Arrives(target=target),
    )


def stays(name: str, sent: str, path: str) -> Case:
    return Case(
        name=f"target-{name}",
        filters=(ReadsTarget,),
        send=Send(target=sent),
        arrives=Arrives(target=sent),
        notes=((path, sent),),
    )


CASES = (
    Case(
        name="query-read",
        filters=(ReadsQuery,),
        send=Send(target="/p?a=1&b=x%20y+z&a=2&c&=e&%61=3"),
        notes=(
            (
                [("a", "1"), ("b", "x y z"), ("a", "2"), ("c", ""), ("", "e"), ("a", "3")],
                ["a", "b", "c", ""],
                "1",
                ["1", "2", "3"],
                None,
            ),
        ),
    ),
    changes("set", "/p?a=1&b=x%20y%26z&a=2&c"),
    changes("set-new", "/p?a=1&b=%20&a=2&c&new=1"),
    changes("add", "/p?a=1&b=%20&a=2&c&a=3"),
    changes("del", "/p?b=%20&c"),
    changes("del-all", "/p"),
    Case(
        name="cookies",
        filters=(ReadsCookies,),
        send=Send(headers=(("cookie", 'a=1; b="x y"; a=2'), ("x-other", "1"), ("cookie", "c=%20; odd"))),
        arrives=Arrives(headers={"x-other": ("1",)}),
        notes=(({"a": "1", "b": '"x y"', "c": "%20"}, None),),
    ),
    stays("root", "/", "/"),
    stays("empty-query", "/a?", "/a"),
    stays("two-question-marks", "/a??b=?", "/a"),
    stays("slashes-in-query", "/a?b=//c/../d", "/a"),
    stays("percent-stays", "/a%20b/%E2%82%AC?x=%zz%", "/a%20b/%E2%82%AC"),
    stays("semicolon", "/a;b=c/d;e", "/a;b=c/d;e"),
    stays("trailing-slash", "/a/", "/a/"),
    stays("odd-characters", "/a!$&'()*+,=:@[]", "/a!$&'()*+,=:@[]"),
    Case(
        name="host-with-port-and-dot",
        filters=(ReadsHost,),
        send=Send(host="Example.TEST.:8080"),
        notes=(("Example.TEST.:8080", "example.test"),),
    ),
    Case(
        name="host-of-ipv6",
        filters=(ReadsHost,),
        send=Send(host="[::1]:8080"),
        notes=(("[::1]:8080", "[::1]"),),
    ),
)
