"""Talk to a running control plane: over its local socket, or over mTLS where the environment says so.

With MESHEXT_ADMIN=HOST:PORT it is asked there, by the certificate in the folder MESHEXT_CERTS, as
`meshext sidecar --write-certs` keeps it.
"""

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
ADDRESS = "MESHEXT_ADMIN"
CERTIFICATES = "MESHEXT_CERTS"
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
    with open_channel(path) as channel:
        ask = channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=reply.FromString,
        )
        try:
            return ask(request, timeout=PATIENCE)
        except grpc.RpcError as error:
            raise to_error(error, path) from None


def open_channel(path: Path) -> Any:
    """The channel that the environment asks for, else one to the socket; AdminError without certificates."""
    import grpc

    options = [("grpc.max_receive_message_length", LARGEST), ("grpc.max_send_message_length", LARGEST)]
    if not (address := os.environ.get(ADDRESS)):
        return grpc.insecure_channel(f"unix:{path}", options=options)
    from meshext_controlplane.agent.certificate_files import CHAIN, KEY, ROOTS
    from meshext_controlplane.identity.own_svid import DNS_NAME

    folder = Path(os.environ.get(CERTIFICATES, ""))
    try:
        roots, key, chain = ((folder / name).read_bytes() for name in (ROOTS, KEY, CHAIN))
    except OSError as error:
        told = f"{ADDRESS} is set, and {error.filename}: {error.strerror}"
        raise AdminError(f"{told}; set {CERTIFICATES} to a folder of --write-certs") from None
    credentials = grpc.ssl_channel_credentials(roots, key, chain)
    named = [*options, ("grpc.ssl_target_name_override", DNS_NAME)]
    return grpc.secure_channel(address, credentials, options=named)


def to_error(error: Any, path: Path) -> AdminError:
    """What a failed call means for a person."""
    known = REASONS.get(error.code().name)
    if known is None:
        return AdminError(error.details() or f"the control plane ended the call with {error.code().name}")
    where = os.environ.get(ADDRESS) or path
    return AdminError(known.format(path=where, state=path.parent, patience=PATIENCE))
