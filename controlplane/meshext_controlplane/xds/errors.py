"""Why a stream is refused or ended."""

from __future__ import annotations

import grpc

from meshext.errors import MeshextError


class StreamEnded(MeshextError):
    """A stream ends with that gRPC status; the text goes to the proxy, so it holds no secret."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        self.code = code
        super().__init__(text)
