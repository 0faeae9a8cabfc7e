from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.errors import ConfigError
from meshext.sandbox import Answer, Options, fill_in
from meshext.sandbox.access import format_access
from meshext.sandbox.calls import (
    DEFAULT,
    Call,
    CallRequest,
    Expectation,
    find_example,
    judge,
    matches,
    to_curl,
)
from meshext.sandbox.setup import build_setup

HEADERS = [["x-a", "1"], ["x-a", "2"]]
ECHO = json.dumps({"upstream": "v1", "method": "GET", "target": "/a", "headers": HEADERS})


def answer(status: int = 200, text: str = "", *headers: tuple[str, str]) -> Answer:
    return Answer(status=status, headers=list(headers), body=text.encode(), trailers=[])


def example(tmp_path: Path, text: str) -> str:
    (tmp_path / "expect.yaml").write_text(text)
    return f"{tmp_path / 'filter.py'}:Some"


def expect(tmp_path: Path, text: str) -> Call:
    return find_example(example(tmp_path, f"calls: [{{name: it, expect: {text}}}]")).calls[0]


@pytest.mark.parametrize(
    ("expected", "got", "problems"),
    [
        ("{status: 200}", answer(), []),
        ("{status: 200}", answer(503), ["status 503, expected 200"]),
        ("{headers: {X-A: '1, 2'}}", answer(200, "", ("x-a", "1"), ("x-a", "2")), []),
        ("{headers: {x-a: null}}", answer(200, "", ("x-a", "1")), ["header x-a: '1', expected None"]),
        ("{headers: {x-a: '*'}}", answer(), ["header x-a: None, expected '*'"]),
        ("{headers: {x-a: 'session=*; Path=/'}}", answer(200, "", ("x-a", "session=a.b; Path=/")), []),
        ("{body: ell}", answer(200, "hello"), []),
        ("{body: bye}", answer(200, "hello"), ["body 'hello', expected it to contain 'bye'"]),
        (
            "{upstream: {name: v1, target: /a, headers: {x-a: '1, 2', x-b: null}}}",
            answer(200, ECHO),
            [],
        ),
        (
            "{upstream: {name: v2}}",
            answer(200, ECHO),
            ["upstream got upstream 'v1', expected 'v2'"],
        ),
        ("{upstream: {name: v1}}", answer(403, "no"), ["the request did not reach the upstream"]),
    ],
)
def test_judging(expected: str, got: Answer, problems: list[str], tmp_path: Path) -> None:
    assert judge(expect(tmp_path, expected), got) == problems


def test_without_an_expectation_only_a_server_error_is_amiss() -> None:
    call = Call("any")
    assert call.expect == Expectation()
    assert judge(call, answer(404)) == []
    assert judge(call, answer(502)) == ["status 502"]


@given(st.text(), st.text())
def test_a_star_is_any_text_and_nothing_else_is_special(before: str, between: str) -> None:
    text = before.replace("*", "")
    assert matches(f"{text}*", text + between)
    assert matches(text, text)
    assert not matches(text, text + "x")


def test_files_are_beside_the_example(tmp_path: Path) -> None:
    found = find_example(example(tmp_path, "{config: c.yaml, routes: r.yaml, jwt: j.yaml, calls: []}"))
    assert (found.config, found.routes, found.jwt) == tuple(
        str(tmp_path / name) for name in ("c.yaml", "r.yaml", "j.yaml")
    )


def test_without_a_file_there_are_plain_calls(tmp_path: Path) -> None:
    assert find_example(f"{tmp_path / 'filter.py'}:Some") is DEFAULT
    assert find_example("package.module:Some") is DEFAULT
    assert find_example("a-name", '{"a": 1}') is find_example("a-name", "gone.yaml") is DEFAULT
    assert find_example("a-name", "x" * 5000) is DEFAULT


def test_a_filter_without_a_file_has_its_example_beside_the_configuration(tmp_path: Path) -> None:
    example(tmp_path, "{routes: r.yaml, calls: []}")
    config = tmp_path / "config.yaml"
    config.write_text("{}", encoding="utf-8")
    assert find_example("a-name", str(config)).routes == str(tmp_path / "r.yaml")
    assert find_example(f"{tmp_path}/elsewhere/filter.py", str(config)) is DEFAULT


def test_a_mistake_in_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expect\.yaml: calls"):
        find_example(example(tmp_path, "calls: 7"))


def test_what_was_said_goes_before_the_example(tmp_path: Path) -> None:
    found = find_example(
        example(tmp_path, "{config: c.yaml, mode: proc, echoes: [v1, v2], routes: r.yaml, calls: []}")
    )
    filled = fill_in(Options(specs=("a.py",)), found)
    assert (filled.mode, filled.upstream) == ("proc", ("v1=echo", "v2=echo"))
    assert (filled.config, filled.routes) == ((found.config,), found.routes)
    said = Options(specs=("a.py",), config=("{}",), mode="authz", upstream=("127.0.0.1:1",))
    assert fill_in(said, found) == said
    assert fill_in(Options(specs=("a.py", "b.py")), found).config == ()


def test_routes_may_name_the_echo_that_stands_in_for_no_upstream() -> None:
    routes = '[{"name": "all", "match": {"prefix": "/"}, "upstream": "echo"}]'
    assert build_setup(Options(specs=("a.py",), routes=routes)).routes[0].upstream == "echo"


def test_a_call_can_be_pasted() -> None:
    request = CallRequest(method="PUT", target="/a/../b", headers={"x-a": ["1", "it's"]}, body="{}")
    assert to_curl(Call("it", request), "http://h:1") == (
        "curl -i -X PUT -H 'x-a: 1' -H 'x-a: it'\"'\"'s' --data-binary '{}' "
        "--path-as-is --globoff http://h:1/a/../b"
    )


def test_an_access_line_is_readable_and_can_not_be_forged() -> None:
    entry = {
        "method": "GET",
        "path": "/a\n\x1b[2J",
        "status": 200,
        "details": "via_upstream",
        "upstream": "v1",
        "request_id": "7",
        "duration_ms": 3,
        "metadata": {"meshext.hello": {"a": 1}, "meshext.other": None},
    }
    line = format_access(json.dumps(entry), 0.25)
    assert line[8:] == (
        '.250 info    access [7] GET /a\\n\\x1b[2J -> 200 (3 ms, upstream v1, {"meshext.hello":{"a":1}})'
    )
    denied = format_access(json.dumps({**entry, "path": "/", "details": "ext_authz_denied"}), 0)
    assert denied.endswith('GET / -> 200 (3 ms, ext_authz_denied, {"meshext.hello":{"a":1}})')
    assert format_access("no json\r", 0)[12:] == " info    envoy no json\\r"
    assert format_access("[]", 0)[12:] == " info    envoy []"
