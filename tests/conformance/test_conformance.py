"""Every case on every runtime; one that a service can not carry is refused by name, never skipped.

One that is not compiled is skipped with the compiler's reason, which `test_compiled.py` keeps true.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from meshext.engine.chain import configured_needs
from meshext.errors import UnsupportedError
from meshext.needs import Hook
from meshext.plan import AUTHZ_HOOKS, build_plan
from meshext.testing.harness import own_config, pair_configs
from tests.conformance.case import NOTES, Case, Gets
from tests.conformance.catalogue import CASES, ENVOY_CASES
from tests.conformance.compiled.table import adapt, refusal
from tests.conformance.judge import as_refused, judge
from tests.conformance.runtimes import Runtime


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, runtime: Runtime) -> None:
    try_case(case, runtime)


@pytest.mark.parametrize("case", ENVOY_CASES, ids=lambda case: case.name)
def test_what_envoy_decides(case: Case, envoy: Runtime) -> None:
    try_case(case, envoy)


def try_case(case: Case, runtime: Runtime) -> None:
    NOTES.clear()
    if runtime.mode == "authz" and not fits_authz(case):
        return
    if runtime.mode == "authz" and case.authz_failure:
        case = as_refused(case)
    if runtime.mode == "authz" and case.unseen_by_authz:
        case = replace(case, gets=Gets(status=case.unseen_by_authz), notes=())
    if runtime.mode == "wasm":
        if reason := refusal(case):
            pytest.skip(f"not applicable: {reason}")
        case = adapt(case)
    judge(case, runtime.run(case))


def fits_authz(case: Case) -> bool:
    """Whether ext_authz carries the case; where not, it says so before anything runs."""
    configs = pair_configs(case.filters, case.configs or None)
    needs = [
        configured_needs(cls, own_config(cls, config))
        for cls, config in zip(case.filters, configs, strict=True)
    ]
    hooks = frozenset[Hook]().union(*(each.hooks for each in needs)) - AUTHZ_HOOKS
    named = [hook.value for hook in hooks] + [name for each in needs for name in each.attributes]
    try:
        build_plan(needs, "authz")
    except UnsupportedError as error:
        refusal = str(error)
    else:
        assert not hooks
        return True
    assert any(re.search(rf"\b{re.escape(name)}\b", refusal) for name in named)
    return False
