"""`meshext explain`: answers for people and machines, exit codes, mistakes of every file in one go."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ended
from tests.policy.reading import WEB, write

Run = Callable[..., Ended]

ALLOW = write(
    "{selector: {matchLabels: {app: web}}, "
    "rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}], "
    "to: [{operation: {methods: [GET], paths: ['/orders/*']}}]}]}",
    name="allow",
)
DENY = write("{action: DENY, rules: [{to: [{operation: {paths: ['/orders/secret*']}}]}]}", name="deny")
SOON = write("{action: DENY, rules: [{}]}", name="soon", annotations='{istio.io/dry-run: "true"}')
LOG = write("{action: AUDIT, rules: [{}]}", name="log")


@pytest.fixture
def policy(tmp_path: Path) -> str:
    file = tmp_path / "policy.yaml"
    file.write_text("---\n".join([ALLOW, DENY, SOON, LOG]), encoding="utf-8")
    return str(file)


def request(method: str = "GET", path: str = "/orders/7", **more: object) -> str:
    return json.dumps({"method": method, "path": path, "peer": {"principal": WEB}, **more})


def test_allowed(meshext: Run, policy: str, golden: Callable[[str, str], None]) -> None:
    ended = meshext("explain", policy, "--request", request(), "--trace")
    assert (ended.code, ended.err) == (0, "")
    golden(ended.out, "allowed.txt")


def test_denied_with_what_came_closest(meshext: Run, policy: str, golden: Callable[[str, str], None]) -> None:
    ended = meshext("explain", policy, "--request", request("POST"))
    assert ended.code == 1
    golden(ended.out, "denied.txt")


def test_json(meshext: Run, policy: str, golden: Callable[[str, str], None]) -> None:
    ended = meshext("explain", policy, "--request", request("POST"), "--json", "--trace")
    assert ended.code == 1
    golden(ended.out, "denied.json")
    answer = json.loads(ended.out)
    assert answer["closest"] == [
        {"policy": "shop/allow", "rule": 0, "failed": ["methods", ["GET"], "POST"]},
    ]
    allowed = json.loads(meshext("explain", policy, "--request", request(), "--json").out)
    assert (allowed["allowed"], allowed["policy"], allowed["rule"]) == (True, "shop/allow", 0)


def test_a_deny_policy_is_named(meshext: Run, policy: str) -> None:
    answer = json.loads(meshext("explain", policy, "--request", request(path="/orders/secret"), "--json").out)
    assert (answer["allowed"], answer["policy"], answer["rule"], answer["closest"]) == (
        False,
        "shop/deny",
        0,
        [],
    )


def test_a_path_is_normalised_where_that_is_asked_for(meshext: Run, policy: str) -> None:
    given = request(path="/x/..%2Forders/7")
    assert meshext("explain", policy, "--request", given).code == 1
    assert meshext("explain", policy, "--request", given, "--normalize", "BASE").code == 1
    assert meshext("explain", policy, "--request", given, "--normalize", "DECODE_AND_MERGE_SLASHES").code == 0
    refused = meshext("explain", policy, "--request", request(path="/%00"), "--normalize", "BASE")
    assert (refused.code, refused.err) == (2, "meshext: Envoy answers 400 to a path with %00; leave it out\n")


def test_the_workload_is_who_is_said(meshext: Run, policy: str) -> None:
    given = ("explain", policy, "--request", request("POST"))
    assert meshext(*given, "--labels", "app=web,version=v1").code == 1
    other = meshext(*given, "--labels", "app=api")
    assert (other.code, "there is no ALLOW policy" in other.out) == (0, True)
    elsewhere = meshext(*given, "--namespace", "bank")
    assert "no policy applies to this workload" in elsewhere.out
    assert meshext(*given, "--namespace", "bank", "--root-namespace", "shop").code == 1


def test_trust_domains_have_other_names(meshext: Run, policy: str) -> None:
    caller = request(peer={"principal": WEB.replace("cluster.local", "old.test")})
    given = ("explain", policy, "--request", caller, "--trust-domain", "new.test")
    assert meshext(*given).code == 1
    assert meshext(*given, "--alias", "old.test").code == 0


def test_mistakes_of_all_files_and_of_the_request(meshext: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(write("{rule: []}", name=name), encoding="utf-8")
    files = [str(tmp_path / f"{name}.yaml") for name in ("a", "b")]
    ended = meshext("explain", *files, "--request", request())
    assert (ended.code, ended.out) == (2, "")
    assert [line.split(": ")[1] for line in ended.err.splitlines()] == files
    good = tmp_path / "good.yaml"
    good.write_text(ALLOW, encoding="utf-8")
    ended = meshext("explain", str(good), "--request", '{"method": "GET"}')
    assert ended.err == (
        'meshext: --request: line 1: has no path; write for example {"method": "GET", "path": "/orders"}\n'
    )
    twice = meshext("explain", str(good), str(good), "--request", request())
    assert (twice.code, "two policies 'shop/allow'" in twice.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--labels", "app"), "--labels 'app' is no label; write name=value, such as app=web"),
        (("--normalize", "FULL"), "--normalize 'FULL' is not known; write NONE, BASE"),
    ],
)
def test_options_that_mean_nothing(meshext: Run, policy: str, options: tuple[str, ...], problem: str) -> None:
    ended = meshext("explain", policy, "--request", request(), *options)
    assert ended.code == 2
    assert problem in ended.err


def test_what_is_seldom_meant_is_a_warning(meshext: Run, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(write("{rules: [{to: [{operation: {hosts: [a.test]}}]}]}"), encoding="utf-8")
    ended = meshext("explain", str(file), "--request", request(host="a.test:80"), "--json")
    assert (ended.code, json.loads(ended.out)["allowed"]) == (1, False)
    assert "warning: shop/p: rules[0] hosts: 'a.test' misses 'a.test:8080'" in ended.err


def test_a_workload_brings_its_own_policies(meshext: Run, policy: str, tmp_path: Path) -> None:
    asked = ("explain", "--workload", "shop/web-1", "--request", request(), "--state", str(tmp_path))
    assert "no control plane answers" in meshext(*asked).err
    assert meshext(*asked).code == 2
    for more in ((policy,), ("--labels", "app=web"), ("--normalize", "BASE")):
        refused = meshext(*asked, *more)
        assert (refused.code, "--workload takes" in refused.err) == (2, True)
    assert "no policies given" in meshext("explain", "--request", request()).err


@pytest.mark.parametrize("verb", [("explain", "--workload", "w", "--request", "{}"), ("check",)])
def test_without_the_control_plane_the_extra_is_named(
    process: Run, verb: tuple[str, ...], tmp_path: Path
) -> None:
    missing = "raise ModuleNotFoundError('pydantic is not here', name='pydantic')"
    (tmp_path / "pydantic.py").write_text(missing, encoding="utf-8")
    ended = process(*verb, PYTHONPATH=str(tmp_path))
    assert (ended.code, "'meshext[controlplane]'" in ended.err) == (2, True)


def test_a_body_is_for_filters_of_a_mesh(meshext: Run, policy: str, tmp_path: Path) -> None:
    alone = meshext("explain", policy, "--request", request(), "--body", "{}")
    assert (alone.code, "add --workload" in alone.err) == (2, True)
    mesh = ("explain", "--workload", "shop/web-1", "--request", request(), "--state", str(tmp_path))
    assert "no control plane answers" in meshext(*mesh, "--body", "{}").err
    assert f"--body @{tmp_path}/none: No such file" in meshext(*mesh, "--body", f"@{tmp_path}/none").err
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate((64 << 20) + 1)
    assert "more than 64 MiB" in meshext(*mesh, "--body", f"@{large}").err
