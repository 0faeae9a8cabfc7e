"""Every example does what its README promises: through the real Envoy in each mode, and in process."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.in_process import call_in_process
from meshext.errors import UnsupportedError
from meshext.filter import Filter
from meshext.loading import load_configured, load_needs
from meshext.plan import Mode, build_plan
from meshext.plugins import load_filter
from meshext.sandbox import EnvoyFilter, Options, Setup, build_setup, fill_in
from meshext.sandbox.calls import Example, find_example, judge, try_call
from meshext.testing import Harness

FOLDER = Path(__file__).parents[1] / "filters" / "examples"
EXAMPLES = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())
MODES: tuple[Mode, ...] = ("authz", "proc")


def spec_of(name: str) -> str:
    return str(FOLDER / name / "filter.py")


def readme_of(name: str) -> str:
    return (FOLDER / name / "README.md").read_text(encoding="utf-8")


def specs_of(name: str) -> tuple[str, ...]:
    """The example's own filter; else those that ship with us, as the README's command names them."""
    if Path(spec_of(name)).exists():
        return (spec_of(name),)
    command = rf"meshext run ([a-z -]+) --config filters/examples/{name}/config\.yaml --try"
    [names] = re.findall(command, readme_of(name))
    return tuple(names.split())


def example_of(name: str) -> Example:
    return find_example(specs_of(name)[0], str(FOLDER / name / "config.yaml"))


def load(name: str) -> tuple[type[Filter], Example, Setup]:
    [spec] = specs_of(name)
    example = example_of(name)
    return load_filter(spec), example, build_setup(fill_in(Options(specs=(spec,)), example))


def carried() -> Iterator[tuple[str, Mode]]:
    """Every example with each mode that can carry it."""
    for name in EXAMPLES:
        example = example_of(name)
        needs = load_needs(specs_of(name), [example.config] if example.config else [])
        for mode in MODES:
            try:
                build_plan(needs, mode)
            except UnsupportedError:
                continue
            yield name, mode


@pytest.mark.envoy
@pytest.mark.parametrize(("name", "mode"), list(carried()))
def test_example_in_envoy(name: str, mode: Mode, envoy_filter: EnvoyFilter) -> None:
    example = example_of(name)
    specs = specs_of(name)
    proxy = envoy_filter(
        specs[0] if len(specs) == 1 else specs,
        config=example.config,
        mode=mode,
        echoes=example.echoes,
        routes=example.routes,
        jwt=example.jwt,
    )
    results = [try_call(call, proxy.url) for call in example.calls]
    assert {result.call.name: result.problems for result in results if result.problems} == {}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_in_process(name: str) -> None:
    example, specs = example_of(name), specs_of(name)
    setup = build_setup(fill_in(Options(specs=specs), example))
    configured = load_configured(specs, [example.config] if example.config else [])
    harness = Harness([cls for cls, _ in configured], [config for _, config in configured])
    problems = {}
    for call in example.calls:
        answer = call_in_process(harness, call.request, setup)
        if answer is not None:
            problems[call.name] = judge(call, answer)
    assert {name: found for name, found in problems.items() if found} == {}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_complete(name: str) -> None:
    example = example_of(name)
    readme = readme_of(name)
    classes = [load_filter(spec) for spec in specs_of(name)]
    if Path(spec_of(name)).exists():
        assert f"meshext run filters/examples/{name}/filter.py:{classes[0].__name__} --try" in readme
    assert 5 <= len([line for line in readme.splitlines() if line]) <= 15
    assert len(example.calls) >= 3
    assert any(hasattr(cls, "Config") for cls in classes) == (example.config is not None)


@pytest.mark.envoy
def test_a_session_is_renewed_before_it_ends(envoy_filter: EnvoyFilter) -> None:
    cls, example, _ = load("03_signed_token")
    harness = Harness(cls, Path(example.config or "").read_text(encoding="utf-8"))
    proxy = envoy_filter(cls, config=example.config)
    soon = harness.filter.sign("ann", int(time.time()) + 60)
    answer = proxy.request(headers={"cookie": f"session={soon}"})
    renewed, _, rules = (answer.header("set-cookie") or "").partition("; ")
    assert rules == "Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"
    assert renewed != f"session={soon}"
    again = proxy.request(headers={"cookie": renewed})
    assert ["x-user", "ann"] in proxy.upstream(again)["headers"]
    assert again.header("set-cookie") is None


def test_a_session_ends_with_its_time() -> None:
    cls, _, _ = load("03_signed_token")
    harness = Harness(cls, {"secret": "s" * 32}, now=1_000_000)
    cookie = {"cookie": "session=" + harness.filter.sign("ann", 1_003_600)}
    assert "set-cookie" not in harness.request(headers=cookie).headers
    harness.advance(3_001)
    assert "set-cookie" in harness.request(headers=cookie).headers
    harness.advance(599)
    assert harness.request(headers=cookie).status == 401


def test_a_client_is_told_when_to_come_back() -> None:
    cls, _, _ = load("08_async_store")
    harness = Harness(cls, {"rate": 1, "window": 60}, now=1_000_000.5)
    assert harness.request(client_address="192.0.2.1").status == 200
    refused = harness.request(client_address="192.0.2.1")
    assert (refused.status, refused.headers["retry-after"]) == (429, "20")
    assert harness.request(client_address="192.0.2.2").status == 200
    harness.advance(20)
    assert harness.request(client_address="192.0.2.1").status == 200


def test_the_share_of_users_is_as_configured() -> None:
    cls, _, _ = load("05_rewrite_and_reroute")
    harness = Harness(cls, {"share": 30})
    for number in range(1000):
        harness.request(headers={"x-user": f"user-{number}"})
    assert 260 < harness.value("ab_assigned_total", version="v2") < 340


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"item": "\\u0034111111111111111", "amount": 1}', 422),
        (b'{"item": "tea", "amount": 4111111111111111}', 422),
        (b'{"item": "tea", "amount": 1, "4111-1111-1111-1111": 0}', 422),
        (b'{"item": "tea", "amount": true}', 422),
        (b"[" * 16_000, 400),
        ('{"item": "tea", "amount": 1}'.encode("utf-16"), 400),
        (b"", 400),
        (b"[]", 422),
    ],
)
def test_bodies_that_hide_something(body: bytes, status: int) -> None:
    cls, _, _ = load("04_body_inspection")
    harness = Harness(cls, {"fields": {"item": "text", "amount": "number"}})
    outcome = harness.request("POST", "/orders", body=body)
    assert (outcome.status, outcome.failures) == (status, ())


@pytest.mark.parametrize("target", ["/reports/edit", "/reports/edit/7", "/reports/edit?as=reader"])
def test_the_longest_path_decides(target: str) -> None:
    cls, _, _ = load("07_jwt_claims")
    harness = Harness(cls, {"provider": "p", "roles": {"/reports": "reader", "/reports/edit": "editor"}})
    ann = {"envoy.filters.http.jwt_authn": {"p": {"sub": "ann", "roles": ["reader"]}}}
    assert harness.request("GET", target, metadata=ann).status == 403
    assert harness.request("GET", "/reports/editions", metadata=ann).status == 200
