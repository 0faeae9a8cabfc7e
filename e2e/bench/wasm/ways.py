"""The ways to have one policy in Envoy or beside it: a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from e2e.bench.gateways import TYPES
from e2e.bench.load import HEADERS
from e2e.bench.wasm.modules import POLICY, SPEC, compile_c, compile_python
from e2e.bench.wasm.policy.policy import USERS
from meshext.envoy.wasm_filter import Module
from meshext.plan import Mode

NONE, EMPTY, OURS, BY_HAND = "none", "empty Wasm", "ours, Wasm", "C, Wasm"
LUA, NATIVE, AUTHZ, PROC = "Lua", "native", "ours, ext_authz", "ours, ext_proc"
KEY = HEADERS["x-key"]
NAME = USERS[KEY]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way. `module` or `filters` go into Envoy; with a `mode` a service of ours stands beside it.

    `share` is the part of a turn's requests that it is sent; without `decides` every request passes.
    """

    name: str
    module: Module | None = None
    filters: tuple[dict[str, Any], ...] = ()
    mode: Mode | None = None
    decides: bool = True
    share: float = 1.0


def build_ways() -> tuple[Way, ...]:
    """All of them, with the modules compiled."""
    return (
        Way(name=NONE, decides=False),
        Way(name=EMPTY, module=compile_c("empty"), decides=False),
        Way(name=OURS, module=compile_python(SPEC)),
        Way(name=BY_HAND, module=compile_c("policy")),
        Way(name=LUA, filters=(build_lua(),)),
        Way(name=NATIVE, filters=(build_rbac(), build_mutation())),
        Way(name=AUTHZ, mode="authz", share=0.25),
        Way(name=PROC, mode="proc", share=0.25),
    )


def build_filter(name: str, kind: str, **config: Any) -> dict[str, Any]:
    """An HTTP filter of Envoy's own (`envoy.extensions.filters.http.NAME.v3.KIND`)."""
    return {"name": name, "typed_config": {"@type": f"{TYPES}.http.{name}.v3.{kind}", **config}}


def build_lua() -> dict[str, Any]:
    """The policy in Lua."""
    code = (POLICY / "policy.lua").read_text(encoding="utf-8")
    return build_filter("lua", "Lua", default_source_code={"inline_string": code})


def build_rbac() -> dict[str, Any]:
    """Whoever shows the key is let pass."""
    matches = {"name": "x-key", "string_match": {"exact": KEY}}
    known = {"permissions": [{"any": True}], "principals": [{"header": matches}]}
    return build_filter("rbac", "RBAC", rules={"action": "ALLOW", "policies": {"known": known}})


def build_mutation() -> dict[str, Any]:
    """The upstream is told who it is: with one user it is always the same."""
    written = {
        "header": {"key": "x-user", "value": NAME},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    return build_filter(
        "header_mutation", "HeaderMutation", mutations={"request_mutations": [{"append": written}]}
    )
