"""Recommendations, in two versions that run side by side: `VERSION` says which one this is."""

from __future__ import annotations

import os
import zlib

from meshext_controlplane.demo.shop.web import Answered, Asked, serve

THINGS = ("a kettle", "a lamp", "a rug", "a clock", "a chair", "a mirror", "a shelf", "a vase")


def recommend(asked: Asked) -> Answered:
    """`GET /for/USER`: one thing from v1, and from v2 three."""
    if asked.path == "/healthz":
        return Answered(200, {"ok": True})
    prefix, _, user = asked.path.rpartition("/")
    if asked.method != "GET" or prefix != "/for":
        return Answered(404, {"said": f"there is no {asked.path}"})
    version = os.environ.get("VERSION", "v1")
    first = zlib.crc32(user.encode())
    things = [THINGS[(first + step) % len(THINGS)] for step in range(3 if version == "v2" else 1)]
    return Answered(200, {"version": version, "for": user, "things": things, "caller": asked.caller})


if __name__ == "__main__":
    serve(recommend)
