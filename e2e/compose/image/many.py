"""Sends many requests, so many at once: many.py AT_ONCE; both ends of it are JSON.

Standard input has a list of {"url", "method", "headers", "body"}; all but `url` may be missing. Standard
output gets a list of what call.py says of each, in the same order.
"""

from __future__ import annotations

import http.client
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from e2e.compose.image.call import call_http
else:
    from call import call_http  # beside this file, where it runs


def send(request: dict[str, Any]) -> dict[str, Any]:
    """One of them."""
    headers = {"connection": "close", **request.get("headers", {})}
    method, body = request.get("method", "GET"), request.get("body")
    try:
        return call_http(urlsplit(request["url"]), headers, method, body)
    except (OSError, http.client.HTTPException) as error:
        return {"error": type(error).__name__, "text": str(error)}


if __name__ == "__main__":
    with ThreadPoolExecutor(int(sys.argv[1])) as pool:
        json.dump(list(pool.map(send, json.load(sys.stdin))), sys.stdout)
