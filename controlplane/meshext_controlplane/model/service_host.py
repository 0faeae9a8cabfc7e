"""The host of a service as a document names it: `HOST`, or `NAMESPACE/HOST`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from meshext_controlplane.model.base import check_namespace
from meshext_controlplane.model.values import check_host


def check_service(text: str) -> str:
    """`HOST` or `NAMESPACE/HOST`; ValueError says which part is wrong."""
    namespace, slash, host = text.rpartition("/")
    if slash:
        check_namespace(namespace)
    if "*" in host:
        raise ValueError(f"{text[:80]!r} has a wildcard; write the host of one service")
    check_host(host)
    return text


ServiceHost = Annotated[str, AfterValidator(check_service)]
"""A service of the mesh; a namespace before its host says whose, where several have it."""
