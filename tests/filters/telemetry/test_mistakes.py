"""Mistakes in a configuration: each is one line that names the place, the value and what to write."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable

import pytest

from meshext.config import Document, parse_config
from meshext.errors import ConfigError
from meshext_filters.telemetry import Telemetry

TAG = "{name: t, header: x-t}"

MISTAKES: dict[str, str] = {
    "a route that is no path": "routes: [users/7]",
    "a route with a query": "routes: [/users?page=1]",
    "a route with a fragment": "routes: ['/users#top']",
    "a route with an empty segment": "routes: [/users//orders]",
    "a star for one segment": "routes: ['/users/*']",
    "two stars before the end": "routes: ['/static/**/x']",
    "a brace that is not closed": "routes: ['/users/{id']",
    "a brace that is not opened": "routes: ['/users/id}']",
    "two parameters in a segment": "routes: ['/{a}-{b}']",
    "a parameter without a name": "routes: ['/users/{}']",
    "a parameter with another syntax": "routes: ['/users/{id:[0-9]+}']",
    "a parameter twice": "routes: ['/{id}/x/{id}']",
    "a route twice": "routes: [/a, /b, /a]",
    "two routes for the same paths": "routes: ['/users/{id}', '/users/{name}']",
    "a route that is too long": f"routes: ['{'/x' * 33}']",
    "too many routes": f"routes: {[f'/r{number}' for number in range(501)]}",
    "routes as a text": "routes: /users",
    "a metric that is none": "metrics: [latency]",
    "a metric twice": "metrics: [requests, requests]",
    "a tag without a source": "tags: [{name: t}]",
    "a tag with two sources": "tags: [{name: t, header: x-t, query: t}]",
    "a tag without a name": "tags: [{header: x-t}]",
    "a tag whose name is none": "tags: [{name: Tenant Id, header: x-t}]",
    "two tags that make one "
    "label": f"tags: [{TAG[:-1]}, to: [metrics]}}, {{name: a.b, query: x}}, {{name: a_b, query: y}}]",
    "a tag with the name of a label of ours": "tags: [{name: http.route, header: x-t, to: [metrics]}]",
    "a tag with the name of a key of ours": "tags: [{name: trace_id, header: x-t}]",
    "a header that is none": "tags: [{name: t, header: 'x t'}]",
    "a header of the request line": "tags: [{name: t, header: ':path'}]",
    "a response header that is none": "tags: [{name: t, response_header: 'x:'}]",
    "a header that is a secret": "tags: [{name: t, header: Authorization}]",
    "a cookie": "tags: [{name: t, header: cookie}]",
    "a response header that is a secret": "tags: [{name: t, response_header: set-cookie}]",
    "a parameter that is a secret": "tags: [{name: t, query: access_token}]",
    "a claim that is a secret": "tags: [{name: t, claim: session.id}]",
    "a parameter without a name in a query": "tags: [{name: t, query: ''}]",
    "a claim with an empty part": "tags: [{name: t, claim: realm..tenant}]",
    "a provider without a claim": "tags: [{name: t, header: x-t, provider: corp}]",
    "an attribute that is none": "tags: [{name: t, attribute: source.prot}]",
    "an attribute that is a map": "tags: [{name: t, attribute: request.headers}]",
    "a part of a peer that is none": "tags: [{name: t, peer: principle}]",
    "a tag that goes nowhere": "tags: [{name: t, header: x-t, to: []}]",
    "a tag that goes somewhere else": "tags: [{name: t, header: x-t, to: [metric]}]",
    "a tag that goes to one place twice": "tags: [{name: t, header: x-t, to: [log, log]}]",
    "values for no metric": "tags: [{name: t, header: x-t, values: [a]}]",
    "a value twice": "tags: [{name: t, header: x-t, to: [metrics], values: [a, a]}]",
    "an empty value": "tags: [{name: t, header: x-t, to: [metrics], values: [a, '']}]",
    "too few values": "tags: [{name: t, header: x-t, max_values: 0}]",
    "too many values": "tags: [{name: t, header: x-t, max_values: 501}]",
    "too many values in a list": "tags: [{name: t, header: x-t, to: [metrics], "
    f"values: {[f'v{number}' for number in range(501)]}}}]",
    "a metric label of a response that nobody measures": "metrics: [requests]\n"
    "tags: [{name: t, response_header: x-t, to: [metrics]}]",
    "too many "
    "labels": f"tags: [{', '.join(f'{{name: t{n}, header: x-t, to: [metrics]}}' for n in range(11))}]",
    "a share in percent": "trace: {sample: 10}",
    "a negative share": "trace: {sample: -0.1}",
    "a switch as a number": "trace: {propagate: 1}",
    "a key that is none": "trace: {sampling: 0.1}",
    "an empty name to redact": "redact: [email, '']",
    "a name to redact as a text": "redact: email",
    "buckets that do not ascend": "buckets: [0.5, 0.1]",
    "no buckets": "buckets: []",
    "a bucket at zero": "buckets: [0, 1]",
    "buckets as text": "buckets: ['0.1', 1]",
    "too few series": "max_series: 5",
    "too many series": "max_series: 5000",
    "a switch in words": "log: 'yes'",
    "a top key that is none": "route: [/users]",
}


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_config(Telemetry.Config, Document(text, "telemetry.yaml"), owner=Telemetry)
    return tuple(caught.value.problems)


def test_every_mistake_has_its_words(golden: Callable[[str, str], None]) -> None:
    said = {name: problems_of(text) for name, text in MISTAKES.items()}
    assert {name: problems for name, problems in said.items() if len(problems) != 1} == {}
    lines = [f"{name}\n    {text[:100]}\n    {said[name][0]}\n" for name, text in MISTAKES.items()]
    golden("\n".join(lines), "mistakes.txt")


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_says_where_and_what_to_write(name: str) -> None:
    (problem,) = problems_of(MISTAKES[name])
    key = MISTAKES[name].rpartition("\n")[2].partition(":")[0]
    assert problem.startswith(key)
    assert any(word in problem for word in ("write", "add", "leave", "did you mean", "known keys", "declare"))
    assert len(problem) < 400


def test_several_mistakes_are_said_at_once() -> None:
    said = problems_of("tags: [{name: t}, {name: u, header: cookie}]\ntrace: {sample: 2}")
    assert [each.partition(":")[0] for each in said] == ["tags[0]", "tags[1]", "trace"]


def test_the_example_of_the_docstring_is_none() -> None:
    text = inspect.cleandoc(Telemetry.__doc__ or "")
    example = textwrap.dedent(text.partition("Example:\n")[2].partition("\nCosts:")[0])
    config = parse_config(Telemetry.Config, Document(example, "example"), owner=Telemetry)
    assert [tag.name for tag in config.tags] == ["tenant", "client", "cache"]
