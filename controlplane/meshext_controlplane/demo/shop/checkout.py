"""The checkout: takes orders, and gives each a number."""

from __future__ import annotations

import itertools

from meshext_controlplane.demo.shop.web import Answered, Asked, serve

_numbers = itertools.count(1)


def checkout(asked: Asked) -> Answered:
    """`POST /orders`. Who may place one is the mesh's business, not ours."""
    match asked.method, asked.path:
        case "GET", "/healthz":
            return Answered(200, {"ok": True})
        case "POST", "/orders":
            return Answered(201, {"number": next(_numbers), "for": asked.user, "caller": asked.caller})
        case _:
            return Answered(404, {"said": f"there is no {asked.path}"})


if __name__ == "__main__":
    serve(checkout)
