"""Talk to a running control plane over its local socket."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meshext.errors import MeshextError

if TYPE_CHECKING:
    from google.protobuf.message import Message

SERVICE = "meshext.admin.Admin"
SOCKET = "admin.sock"
VARIABLE = "MESHEXT_STATE"
PATIENCE = 30.0  # seconds that one call may take
LARGEST = 256 << 20  # bytes of an answer: a whole mesh

State = Annotated[
    Path,
    typer.Option(
        metavar="DIR", envvar=VARIABLE, help="The control plane's state directory; its socket is in there."
    ),
]

DEFAULT_STATE = Path(".meshext")

REASONS = {
    "UNAVAILABLE": "no control plane answers at {path}; start `meshext controlplane --state {state}`",
    "DEADLINE_EXCEEDED": "the control plane at {path} has not answered within {patience:g} s",
}


class AdminError(MeshextError):
    """The control plane can not be asked, or said no; the text is its own where it gave one."""

    exit_code = 1


def call(state: Path, method: str, request: Message, reply: type[Any]) -> Any:
    """Ask one thing; AdminError where there is no answer."""
    import grpc

    path = Path(os.path.abspath(state)) / SOCKET
    options = [("grpc.max_receive_message_length", LARGEST), ("grpc.max_send_message_length", LARGEST)]
    with grpc.insecure_channel(f"unix:{path}", options=options) as channel:
        ask = channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=reply.FromString,
        )
        try:
            return ask(request, timeout=PATIENCE)
        except grpc.RpcError as error:
            raise to_error(error, path) from None


def to_error(error: Any, path: Path) -> AdminError:
    """What a failed call means for a person."""
    known = REASONS.get(error.code().name)
    if known is None:
        return AdminError(error.details() or f"the control plane ended the call with {error.code().name}")
    return AdminError(known.format(path=path, state=path.parent, patience=PATIENCE))
