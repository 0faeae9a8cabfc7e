"""The storefront: what visitors of the shop see. It asks the other services and puts the answers together."""

from __future__ import annotations

import json

from meshext_controlplane.demo.shop.web import Answered, Asked, call, serve

RECOMMENDATION = "http://recommendation.shop"
CHECKOUT = "http://checkout.shop"


def storefront(asked: Asked) -> Answered:
    """`GET /`, `GET /recommendations`, `POST /orders`, and `/admin`, which no visitor may see."""
    match asked.method, asked.path:
        case "GET", "/healthz":
            return Answered(200, {"ok": True})
        case "GET", "/":
            return Answered(200, {"welcome": asked.user, "caller": asked.caller})
        case "GET", "/recommendations":
            return call(asked, "GET", f"{RECOMMENDATION}/for/{asked.user}")
        case "POST", "/orders":
            return place_order(asked)
        case "GET", path if path == "/admin" or path.startswith("/admin/"):
            return Answered(200, {"secret": "the day's takings"})
        case _:
            return Answered(404, {"said": f"there is no {asked.path}"})


def place_order(asked: Asked) -> Answered:
    """Hand an order on to the checkout."""
    try:
        order = json.loads(asked.body or b"{}")
    except ValueError:
        return Answered(400, {"said": "an order is JSON"})
    return call(asked, "POST", f"{CHECKOUT}/orders", {"user": asked.user, "order": order})


if __name__ == "__main__":
    serve(storefront)
