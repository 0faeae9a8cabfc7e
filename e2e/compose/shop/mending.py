"""What a case has stopped runs again after it, and the shop answers as before."""

from __future__ import annotations

from e2e.compose.project import Project
from e2e.compose.shop.visiting import settled
from e2e.compose.waiting import wait_for

BESIDE = ("redis", "control-plane", "tokens", "receiver", "prometheus")
"""What others wait for, first."""

SIDECARS = (
    "limits-1 limits-2 checkout-1 checkout-2 recommendation-v1 recommendation-v2 "
    "storefront-1 storefront-2 customers"
).split()
"""Each has an application NAME-app in its network namespace."""

ALONE = ("gateway", "stranger")


def mend(shop: Project) -> None:
    """Start what does not run. An application whose sidecar was away joins its new namespace."""
    running = shop.running()
    stopped = [each for each in (*BESIDE, *SIDECARS, *ALONE) if each not in running]
    orphans = [f"{each}-app" for each in SIDECARS if each in stopped]
    idle = [f"{each}-app" for each in SIDECARS if f"{each}-app" not in running]
    for service in stopped:
        shop.docker("start", service)
    for service in stopped:
        shop.wait_healthy(service)
    for application in {*orphans, *idle}:
        shop.docker("restart", application, "--time", "1")
    if stopped or idle:
        wait_for("the shop answers whole again", lambda: settled(shop))
