"""What a chain asks of Envoy."""

from __future__ import annotations

import pytest

from meshext.errors import SpecError, UnsupportedError
from meshext.needs import Hook, Needs
from meshext.plan import MINIMUM_TIMEOUT, Plan, build_plan


def needs(*hooks: str, name: str = "one", **more: object) -> Needs:
    return Needs(name=name, hooks=frozenset(map(Hook, hooks)), **more)  # type: ignore[arg-type]  # its own fields


SENT = ("request_body", "request_trailers", "response_headers", "response_body", "response_trailers")


def sent(plan: Plan) -> set[str]:
    return {part for part in SENT if getattr(plan, part)}


@pytest.mark.parametrize(
    ("hooks", "parts"),
    [
        (["on_request"], set()),
        (["on_request_body"], {"request_body", "request_trailers"}),
        (["on_request_trailers"], {"request_trailers"}),
        (["on_response"], {"response_headers"}),
        (["on_response_body"], {"response_headers", "response_body", "response_trailers"}),
        (["on_response_trailers"], {"response_headers", "response_trailers"}),
        (["on_complete"], {"response_headers"}),
    ],
)
def test_hooks_decide_what_is_sent(hooks: list[str], parts: set[str]) -> None:
    assert sent(build_plan([needs(*hooks)], "proc")) == parts


def test_the_mode_by_default() -> None:
    assert build_plan([needs("on_request")]).mode == "authz"
    assert build_plan([needs("on_request_body")]).mode == "proc"
    assert build_plan([needs("on_request"), needs("on_response", name="two")]).mode == "proc"


@pytest.mark.parametrize("hook", [hook for hook in Hook if hook not in ("on_request", "on_request_body")])
def test_ext_authz_refuses_by_name(hook: Hook) -> None:
    with pytest.raises(UnsupportedError, match=rf"one: ext_authz has no {hook}; use --mode proc"):
        build_plan([needs("on_request", hook)], "authz")


def test_ext_authz_refuses_attributes_by_name() -> None:
    with pytest.raises(UnsupportedError, match=r"xds\.virtual_host_name"):
        build_plan([needs("on_request", attributes=("xds.virtual_host_name",))], "authz")


def test_ext_authz_has_no_trailers() -> None:
    assert sent(build_plan([needs("on_request_body")], "authz")) == {"request_body"}


def test_a_chain_asks_for_everything_that_one_of_it_needs() -> None:
    one = needs("on_request", attributes=("source.port",), max_body=5, failure="open")
    two = needs(
        "on_response", name="two", attributes=("source.port", "request.path"), metadata_namespaces=("a",)
    )
    plan = build_plan([one, two])
    assert plan.filters == ("one", "two")
    assert plan.attributes == ("source.port", "request.path")
    assert plan.metadata_namespaces == ("a",)
    assert plan.written_namespaces == ("meshext.one", "meshext.two")
    assert plan.max_body == two.max_body
    assert plan.failure == "closed"


def test_open_only_where_all_are() -> None:
    assert build_plan([needs("on_request", failure="open")]).failure == "open"


def test_ext_authz_writes_details_as_metadata() -> None:
    assert build_plan([needs("on_request")], "authz").written_namespaces == ("meshext.one", "meshext")


def test_the_timeout_stands_above_all_time_limits() -> None:
    assert build_plan([needs("on_request")]).timeout == MINIMUM_TIMEOUT
    slow = needs("on_request", "on_response", time_limit=10.0)
    assert build_plan([slow]).timeout > 20


def test_needs_can_be_changed() -> None:
    assert needs("on_request", "on_response").without("on_response").hooks == {"on_request"}
    added = needs("on_request", attributes=("a",)).adding(attributes=("a", "b"), metadata_namespaces=("n",))
    assert (added.attributes, added.metadata_namespaces) == (("a", "b"), ("n",))
    with pytest.raises(SpecError, match="'on_respond' is not a hook; the hooks are on_request"):
        needs("on_request").without("on_respond")
