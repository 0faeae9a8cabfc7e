"""What all documents have in common: Istio's field names, nothing unknown, nothing that changes."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """A part of a document. Written in camelCase; a field that is not there is refused by its name."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, strict=True
    )


class Meta(Model):
    """`metadata` of a document, as in Kubernetes; the bookkeeping of an API server may stay in."""

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(min_length=1, max_length=253)]
    namespace: Annotated[str, Field(max_length=63)] = "default"
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class MeshDocument(Model):
    """A whole document. Each kind has a class of its own with a field `spec`.

    `KIND` and `VERSIONS` are what `kind` and `apiVersion` say; the first version is the one that is written.
    """

    KIND: ClassVar[str]
    VERSIONS: ClassVar[tuple[str, ...]]

    metadata: Meta

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, namespace, name: unique in a mesh."""
        return (self.KIND, self.metadata.namespace, self.metadata.name)
