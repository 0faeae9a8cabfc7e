"""What `meshext explain --workload` says where a provider is asked before all other policies."""

from __future__ import annotations

import json

import pytest

from meshext.cli.explain import answer
from meshext.policy.scope import Workload as Subject
from meshext.policy.settings import Settings
from meshext_controlplane.translate.policies import Policies
from tests.controlplane.inspection.views import read_shop

MESH = read_shop()


def ask(method: str, path: str) -> bool:
    (workload,) = [each for each in MESH.workloads if each.name == "reviews-2"]
    policies = Policies(MESH).authorization_of(workload)
    settings = Settings(policies=policies, workload=Subject(namespace="shop"))
    request = json.dumps({"method": method, "path": path})
    return answer(settings, (request, "DECODE_AND_MERGE_SLASHES"), as_json=True, trace=False)


@pytest.mark.parametrize(
    ("method", "path", "allowed", "asked"),
    [
        ("GET", "/admin/x", True, True),
        ("GET", "//admin%2fx", True, True),
        ("GET", "/public", True, False),
        ("DELETE", "/admin/x", False, True),
    ],
)
def test_who_is_asked(
    method: str, path: str, allowed: bool, asked: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(method, path) is allowed
    told = json.loads(capsys.readouterr().out).get("asked")
    assert told == ([{"policy": "shop/ask", "rule": 0, "provider": "ask"}] if asked else None)
