"""Names of gateways, as a VirtualService writes them: `mesh`, NAME of its own namespace, NAMESPACE/NAME."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator

from meshext_controlplane.model.base import check_name, check_namespace

MESH = "mesh"
"""Not a gateway, but every sidecar; what is meant where no gateway is named."""


def check_gateway(name: str) -> str:
    """The name; ValueError says which part is wrong."""
    namespace, slash, own = name.rpartition("/")
    if slash:
        check_namespace(namespace)
    return f"{namespace}{slash}{check_name(own)}"


Gateways = tuple[Annotated[str, AfterValidator(check_gateway)], ...]
"""Names of gateways; where they are left out, the mesh alone."""


def qualify_gateway(name: str, namespace: str) -> str:
    """`NAMESPACE/NAME` of a gateway that a document of that namespace names; `mesh` stays."""
    return name if name == MESH or "/" in name else f"{namespace}/{name}"


def is_bound(names: Sequence[str], namespace: str, gateway: str) -> bool:
    """Whether names in a document of that namespace mean a gateway (`mesh`, or NAMESPACE/NAME)."""
    if not names:
        return gateway == MESH
    return any(qualify_gateway(each, namespace) == gateway for each in names)
