"""Asks the Workload API at $SPIFFE_ENDPOINT_SOCKET who we are: {"id"}, or the status as {"error"}."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import grpc

from meshext_proto.spiffe import workload_pb2


def ask() -> dict[str, Any]:
    """The first answer, or why there is none."""
    with grpc.insecure_channel(os.environ["SPIFFE_ENDPOINT_SOCKET"].replace("unix:///", "unix:/")) as channel:
        call: Any = channel.unary_stream(
            "/SpiffeWorkloadAPI/FetchX509SVID", None, workload_pb2.X509SVIDResponse.FromString
        )
        try:
            answer = next(call(b"", metadata=(("workload.spiffe.io", "true"),), timeout=10))
        except grpc.RpcError as error:
            return {"error": error.code().name}
    return {"id": answer.svids[0].spiffe_id}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(ask()) + "\n")
