"""`AuthorizationPolicy`: who may do what (Istio's, v1), read by the reader that filters use too."""

from __future__ import annotations

from typing import ClassVar

from pydantic import InstanceOf

from meshext.policy.model import Policy
from meshext_controlplane.model.base import MeshDocument


class AuthorizationPolicy(MeshDocument):
    """The document; `policy` is all that its `spec` says, its namespace filled in."""

    KIND: ClassVar[str] = "AuthorizationPolicy"
    VERSIONS: ClassVar[tuple[str, ...]] = ("security.istio.io/v1", "security.istio.io/v1beta1")

    policy: InstanceOf[Policy]
