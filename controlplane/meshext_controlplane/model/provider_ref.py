"""The name by which one document means a provider of the mesh's configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from meshext_controlplane.model.base import Model


class ProviderRef(Model):
    """`{name: ...}`; the provider stands in MeshConfig's `extensionProviders`."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
