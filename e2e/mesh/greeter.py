"""A gRPC service of a test, behind a sidecar or without one: says who it is and what it got.

/greet.Greeter/Say    {"name", "metadata"} as JSON
/greet.Greeter/Slow   the same, after `seconds` of metadata
/greet.Greeter/Fail   UNAVAILABLE; the metadata `code` names another
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

NAME = os.environ.get("MESHEXT_NAME", "")


class Greeter(grpc.GenericRpcHandler):
    """Any method of the service."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        method = (details.method or "").rpartition("/")[2]

        def answer(_: bytes, context: Any) -> bytes:
            return greet(method, context)

        return grpc.unary_unary_rpc_method_handler(answer)


def greet(method: str, context: Any) -> bytes:
    """One call."""
    metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
    metadata["peer"] = ",".join(each.decode() for each in context.auth_context().get("peer_spiffe_id", ()))
    if method == "Fail":
        context.abort(grpc.StatusCode[metadata.get("code", "UNAVAILABLE")], f"{NAME} fails")
    if method == "Slow":
        time.sleep(float(metadata["seconds"]))
    return json.dumps({"name": NAME, "metadata": metadata}).encode()


def main(place: str) -> None:
    """Serve until SIGTERM: behind a sidecar at a Unix socket, or without one at an address of its own."""
    alone = not place.startswith("unix:")
    with ThreadPoolExecutor(16) as pool:
        server = grpc.server(pool, handlers=[Greeter()], options=[("grpc.so_reuseport", 0)], xds=alone)
        if alone:
            fallback = grpc.insecure_server_credentials()
            server.add_secure_port(place, grpc.xds_server_credentials(fallback))
        else:
            server.add_insecure_port(place)
        server.start()
        done = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: done.set())
        done.wait()
        server.stop(1).wait()


if __name__ == "__main__":
    main(f"unix:{sys.argv[1]}" if len(sys.argv) > 1 else os.environ["MESHEXT_LISTEN"])
