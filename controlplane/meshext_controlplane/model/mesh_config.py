"""`MeshConfig`: what holds for the whole mesh (Istio's `MeshConfig`, as a document of its own)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from meshext_controlplane.model.base import MeshDocument, Model


class OutboundTrafficPolicy(Model):
    """What becomes of calls to hosts that no document names; Istio's `outboundTrafficPolicy`."""

    mode: Literal["ALLOW_ANY", "REGISTRY_ONLY"] = "ALLOW_ANY"


class PathNormalization(Model):
    """How paths are made plain before anything is decided about them; Istio's `pathNormalization`.

    Istio's own default, BASE, lets `//admin` and `%2fadmin` past a DENY for `/admin`.
    """

    normalization: Literal["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"] = (
        "DECODE_AND_MERGE_SLASHES"
    )


class MeshConfigSpec(Model):
    """The fields; a mesh without the document has the defaults."""

    trust_domain: str = "cluster.local"
    trust_domain_aliases: tuple[str, ...] = ()
    root_namespace: str = "istio-system"
    outbound_traffic_policy: OutboundTrafficPolicy = OutboundTrafficPolicy()
    path_normalization: PathNormalization = PathNormalization()
    num_trusted_proxies: Annotated[int, Field(ge=0, le=100)] = 0


class MeshConfig(MeshDocument):
    """The document; a mesh has one at most."""

    KIND: ClassVar[str] = "MeshConfig"
    VERSIONS: ClassVar[tuple[str, ...]] = ("meshext.dev/v1", "install.istio.io/v1alpha1")

    spec: MeshConfigSpec = MeshConfigSpec()
