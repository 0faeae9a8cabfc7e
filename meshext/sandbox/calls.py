"""Calls to try on a running setup, and what they should show: `expect.yaml` beside a filter or its config.

    config: config.yaml            # used where the command line gives none
    mode: proc
    echoes: [v1, v2]               # names of built-in echo services
    routes: routes.yaml
    jwt: jwt.yaml
    calls:
      - name: a stranger is refused
        request: {method: GET, target: /orders, headers: {x-key: wrong}, body: ""}
        expect: {status: 403, headers: {x-served-by: v1, x-gone: null}, body: text it contains,
                 upstream: {name: v1, target: /orders, headers: {x-user: ann}, body: whole body}}

Everything is optional but `calls` and each call's `name`. In an expected header `*` stands for any text. The
same files drive `meshext run --try` and the end-to-end tests of the examples.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import h11

from meshext.config import parse_config, read_config
from meshext.sandbox.client import Answer, send

FILE = "expect.yaml"
FIRST_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class CallRequest:
    """What to send."""

    method: str = "GET"
    target: str = "/"
    headers: dict[str, str | list[str]] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class UpstreamExpectation:
    """What the echo service should have received; header null means absent."""

    name: str | None = None
    target: str | None = None
    method: str | None = None
    headers: dict[str, str | None] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the client should get; header null means absent, `body` is a part of the text."""

    status: int | None = None
    headers: dict[str, str | None] = field(default_factory=dict)
    body: str | None = None
    upstream: UpstreamExpectation | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call and what it should show."""

    name: str
    request: CallRequest = field(default_factory=CallRequest)
    expect: Expectation = field(default_factory=Expectation)


@dataclass(frozen=True, slots=True)
class Example:
    """A filter's calls, and the setup that they are meant for."""

    calls: list[Call]
    config: str | None = None
    mode: Literal["authz", "proc"] | None = None
    echoes: list[str] = field(default_factory=list)
    routes: str | None = None
    jwt: str | None = None


DEFAULT = Example(
    calls=[
        Call("a plain request", CallRequest(target="/")),
        Call("one with a query", CallRequest(target="/hello?name=world")),
        Call("one with a body", CallRequest(method="POST", target="/orders", body='{"item": 1}')),
    ]
)


def find_example(spec: str, config: str = "") -> Example:
    """The example beside a filter's file, or beside its configuration where it is known by name.

    Three plain calls where there is none.
    """
    file = find_calls(spec, config)
    if file is None:
        return DEFAULT
    example = parse_config(Example, read_config(str(file)))
    return replace(
        example,
        config=beside(file, example.config),
        routes=beside(file, example.routes),
        jwt=beside(file, example.jwt),
    )


def find_calls(spec: str, config: str) -> Path | None:
    """The file of calls that belongs to a filter; None where there is none."""
    place = Path(spec.rpartition(":")[0] if ":" in spec else spec)
    if place.suffix != ".py":
        if not os.path.isfile(config):
            return None  # none, or JSON
        place = Path(config)
    file = place.parent / FILE
    return file if file.is_file() else None


def beside(file: Path, name: str | None) -> str | None:
    """A name in a file, relative to that file."""
    return None if name is None else str(file.parent / name)


def to_curl(call: Call, url: str) -> str:
    """The call as a command that a person can paste."""
    request = call.request
    words = ["curl", "-i"]
    if request.method == "HEAD":
        words.append("--head")
    elif request.method != ("POST" if request.body else "GET"):
        words += ["-X", request.method]
    for name, value in header_pairs(request):
        words += ["-H", f"{name}: {value}"]
    if request.body:
        words += ["--data-binary", request.body]
    if url.startswith("https:"):
        words.append("--insecure")
    if any(mark in request.target for mark in ("/../", "/./", "[", "{")):
        words += ["--path-as-is", "--globoff"]
    return shlex.join([*words, url + request.target])


def header_pairs(request: CallRequest) -> list[tuple[str, str]]:
    """Name and value of every line to send."""
    return [
        (name, value)
        for name, values in request.headers.items()
        for value in ([values] if isinstance(values, str) else values)
    ]


@dataclass(frozen=True, slots=True)
class Result:
    """A call that was sent: its answer (None where there was none) and what was wrong with it."""

    call: Call
    answer: Answer | None
    problems: list[str]


def try_call(call: Call, url: str) -> Result:
    """Send one call and judge the answer."""
    request = call.request
    try:
        answer = send(
            url, request.method, request.target, headers=header_pairs(request), body=request.body.encode()
        )
    except (OSError, h11.ProtocolError) as error:
        return Result(call, None, [f"no answer: {error}"])
    return Result(call, answer, judge(call, answer))


def judge(call: Call, answer: Answer) -> list[str]:
    """What differs from the expectation, a line each; without one, only a server error is amiss."""
    expect = call.expect
    if expect == Expectation():
        return [f"status {answer.status}"] if answer.status >= FIRST_SERVER_ERROR else []
    problems = []
    if expect.status is not None and answer.status != expect.status:
        problems.append(f"status {answer.status}, expected {expect.status}")
    problems += judge_headers("header", expect.headers, answer.headers)
    if expect.body is not None and expect.body not in answer.text:
        problems.append(f"body {answer.text[:80]!r}, expected it to contain {expect.body!r}")
    if expect.upstream is not None:
        problems += judge_upstream(expect.upstream, answer)
    return problems


def judge_headers(what: str, expected: Mapping[str, str | None], lines: list[tuple[str, str]]) -> list[str]:
    """Differences in headers; several lines of one name count joined with `, `."""
    problems = []
    for name, value in expected.items():
        found = ", ".join(each for key, each in lines if key.lower() == name.lower()) or None
        if not matches(value, found):
            problems.append(f"{what} {name}: {found!r}, expected {value!r}")
    return problems


def matches(expected: str | None, found: str | None) -> bool:
    """Whether a header's value is the expected one; `*` stands for any text."""
    if expected is None or found is None:
        return expected is found
    pattern = ".*".join(re.escape(part) for part in expected.split("*"))
    return re.fullmatch(pattern, found, re.DOTALL) is not None


def judge_upstream(expect: UpstreamExpectation, answer: Answer) -> list[str]:
    """Differences in what the echo service received."""
    try:
        echo = json.loads(answer.text)
        lines = [(name, value) for name, value in echo["headers"]]
    except (ValueError, KeyError, TypeError):
        return ["the request did not reach the upstream"]
    wanted = {"upstream": expect.name, "target": expect.target, "method": expect.method, "body": expect.body}
    problems = [
        f"upstream got {key} {echo.get(key)!r}, expected {value!r}"
        for key, value in wanted.items()
        if value is not None and echo.get(key) != value
    ]
    return problems + judge_headers("upstream got header", expect.headers, lines)
