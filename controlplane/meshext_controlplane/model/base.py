"""What all documents have in common: Istio's field names, nothing unknown, nothing that changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(\.{_LABEL.pattern})*")


class Model(BaseModel):
    """A part of a document. Written in camelCase; a field that is not there is refused by its name.

    `NOT_YET` has the fields that Istio knows and we do not carry out: they are refused as such, with the
    reason or what to use instead ("" where there is none).
    """

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, strict=True
    )

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType({})


def check_name(name: str) -> str:
    """A name as Kubernetes takes it (RFC 1123, a subdomain); ValueError says what to write."""
    if len(name) > 253 or not _SUBDOMAIN.fullmatch(name):
        raise ValueError(f"{name[:60]!r} is no name; write lower case letters, digits, - and .")
    return name


def check_namespace(name: str) -> str:
    """A namespace's name (RFC 1123, a label); ValueError says what to write."""
    if not _LABEL.fullmatch(name):
        raise ValueError(f"{name[:60]!r} is no namespace; write lower case letters, digits and -")
    return name


Name = Annotated[str, AfterValidator(check_name)]
Namespace = Annotated[str, AfterValidator(check_namespace)]


class Meta(Model):
    """`metadata` of a document, as in Kubernetes; the bookkeeping of an API server may stay in."""

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(min_length=1), AfterValidator(check_name)]
    namespace: Namespace = "default"
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class MeshDocument(Model):
    """A whole document. Each kind has a class of its own with a field `spec`.

    `KIND` and `VERSIONS` are what `kind` and `apiVersion` say; the first version is the one that is written.
    `HIDDEN` are fields of which no value is ever shown.
    """

    KIND: ClassVar[str]
    VERSIONS: ClassVar[tuple[str, ...]]
    HIDDEN: ClassVar[frozenset[str]] = frozenset()

    metadata: Meta

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, namespace, name: unique in a mesh."""
        return (self.KIND, self.metadata.namespace, self.metadata.name)
