"""Claims about who may do what, and that one sees which policy said no."""

from __future__ import annotations

from meshext_controlplane.demo.claims.stage import (
    CHECKOUT,
    RECOMMENDATION,
    STOREFRONT,
    Stage,
    expect,
    expect_status,
    identity_of,
    new_mark,
    only,
)
from meshext_controlplane.demo.visits import Visit

SPELLINGS = ("/admin", "//admin", "/%61dmin", "/x/../admin", "/admin/takings", "/%2fadmin")
"""One path as people write it who want to get past a policy for it."""

ORDER = b'{"thing": "a lamp"}'
USER = {"x-user": "policy-check"}


async def a_denied_path_is_denied(stage: Stage) -> str:
    """`no-admin` (native RBAC) refuses /admin however it is spelled, and the log names it."""
    mark = new_mark()
    for number, spelling in enumerate(SPELLINGS):
        answer = await stage.call(Visit(url=f"{STOREFRONT}{spelling}?{mark}-{number}-", headers=USER))
        expect_status(answer, 403, spelling)
    logged = await stage.logged(mark, "storefront", len(SPELLINGS))
    for number, spelling in enumerate(SPELLINGS):
        call = only((call for call in logged if f"{mark}-{number}-" in call.path), spelling)
        expect(
            call.refused_by == "AuthorizationPolicy shop/no-admin",
            f"{spelling} was refused by {call.refused_by or 'nobody'}",
        )
    return f"{len(SPELLINGS)} spellings of /admin, each refused by AuthorizationPolicy shop/no-admin"


async def only_who_is_allowed_gets_in(stage: Stage) -> str:
    """`for-the-storefront` (native RBAC) lets the storefront ask for recommendations and no customer."""
    mark = new_mark()
    answer = await stage.call(Visit(url=f"{RECOMMENDATION}/for/ann?{mark}", headers=USER))
    expect_status(answer, 403, "a customer who asks the recommendations himself")
    calls = await stage.watch.find_calls(
        lambda call: mark in call.path and call.node.startswith("recommendation-") and call.inbound
    )
    call = only(calls, "it")
    expect(call.refused_by == "no ALLOW matched", f"it was refused by {call.refused_by or 'nobody'}")
    through = await stage.call(Visit(url=f"{STOREFRONT}/recommendations", headers=USER))
    expect_status(through, 200, "the storefront on behalf of a customer")
    expect(
        isinstance(through.value, dict) and through.value.get("caller") == identity_of("storefront"),
        f"the recommendations were called by {through.told()}",
    )
    return f"customer 403 at {call.node}, the storefront 200"


async def the_python_policy_decides(stage: Stage) -> str:
    """The filter authorization-policy, in Python beside the checkout's Envoy, takes orders from the
    storefront only."""
    mark = new_mark()
    answer = await stage.call(Visit(url=f"{CHECKOUT}/orders?{mark}", method="POST", headers=USER, body=ORDER))
    expect_status(answer, 403, "a customer who orders past the storefront")
    call = only(await stage.logged(mark, "checkout"), "it")
    expect(call.refused_by == "no ALLOW matched", f"it was refused by {call.refused_by or 'nobody'}")
    through = await stage.order()
    expect_status(through, 201, "an order at the storefront")
    return f"customer 403 ({call.details}), the storefront {through.status}"


async def nobody_is_called_who_is_not_written_down(stage: Stage) -> str:
    """REGISTRY_ONLY: a host that no document names is not reached."""
    mark = new_mark()
    answer = await stage.call(Visit(url=f"http://elsewhere.example/?{mark}", headers=USER))
    expect_status(answer, 502, "a host that no document names")
    call = only(await stage.watch.find_calls(lambda call: mark in call.path), "it")
    expect(call.refused_by == "REGISTRY_ONLY", f"it was refused by {call.refused_by or 'nobody'}")
    return "502 for elsewhere.example, refused at the customers' own sidecar"
