"""`PeerAuthentication`: whether a workload's ports take mutual TLS, plain text, or both (Istio's, v1)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import MeshDocument, Model
from meshext_controlplane.model.selector import Selector

ModeName = Literal["UNSET", "DISABLE", "PERMISSIVE", "STRICT"]


class MutualTls(Model):
    """`mtls`. UNSET takes what the wider scope says."""

    mode: ModeName = "UNSET"


def _check_port(text: str) -> str:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535 and str(int(text)) == text):
        raise ValueError(f"{text[:20]!r} is no port; write a number from 1 to 65535")
    return text


class PeerAuthenticationSpec(Model):
    """The fields. Keys of `port_level_mtls` are ports of workloads, not of services."""

    selector: Selector | None = None
    mtls: MutualTls = MutualTls()
    port_level_mtls: (
        Annotated[dict[Annotated[str, AfterValidator(_check_port)], MutualTls], Field(min_length=1)] | None
    ) = None

    @model_validator(mode="after")
    def _ports_have_a_selector(self) -> Self:
        if self.port_level_mtls is not None and not (self.selector and self.selector.match_labels):
            raise ValueError("portLevelMtls needs a selector; write selector: {matchLabels: {app: web}}")
        return self


class PeerAuthentication(MeshDocument):
    """The document."""

    KIND: ClassVar[str] = "PeerAuthentication"
    VERSIONS: ClassVar[tuple[str, ...]] = ("security.istio.io/v1", "security.istio.io/v1beta1")

    spec: PeerAuthenticationSpec = PeerAuthenticationSpec()
