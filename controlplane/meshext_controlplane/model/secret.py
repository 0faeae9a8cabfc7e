"""`Secret`: certificates of gateways (Kubernetes' `v1`, as a document). What it holds is never shown."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshext.config.redaction import REDACTED
from meshext_controlplane.model.base import MeshDocument
from meshext_controlplane.model.credential import CredentialError, parse_authorities, parse_pair

TLS = "kubernetes.io/tls"
MOST_BYTES = 1024 * 1024
"""Kubernetes' limit for one Secret."""

PUBLIC = frozenset({"tls.crt", "ca.crt", "ca.crl", "cert", "cacert", "crl"})
"""Entries that hold no secret: certificates, and lists of revoked ones."""


def check_base64(text: str) -> str:
    """Text in base64; ValueError, which does not show it, if it is none."""
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is no base64; write it so, or as plain text in stringData") from None
    return text


class Secret(MeshDocument):
    """The document. `stringData` is as plain text what `data` is in base64, and stronger."""

    KIND: ClassVar[str] = "Secret"
    VERSIONS: ClassVar[tuple[str, ...]] = ("v1",)
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"data", "stringData"})

    type: Literal["Opaque", "kubernetes.io/tls"] = "Opaque"
    data: dict[str, Annotated[str, AfterValidator(check_base64)]] = Field(default={}, repr=False)
    string_data: dict[str, str] = Field(default={}, repr=False)
    immutable: bool = False

    @property
    def entries(self) -> Mapping[str, bytes]:
        """What it holds, by name."""
        plain = {name: text.encode("utf-8", "surrogatepass") for name, text in self.string_data.items()}
        return {**{name: base64.b64decode(text) for name, text in self.data.items()}, **plain}

    def trouble(self) -> str:
        """Why it is no certificate for a server; "" where it is one."""
        try:
            return "" if parse_pair(self.entries) else "it holds no tls.crt and tls.key"
        except CredentialError as error:
            return str(error)

    def trouble_of_authorities(self) -> str:
        """Why nobody's certificates can be believed by it; "" where somebody's can."""
        try:
            return "" if parse_authorities(self.entries) else "it holds no ca.crt"
        except CredentialError as error:
            return str(error)

    @model_validator(mode="after")
    def _holds_what_its_type_says(self) -> Self:
        if sum(map(len, self.entries.values())) > MOST_BYTES:
            raise ValueError(f"holds more than {MOST_BYTES} bytes; write several Secrets")
        self._check_values()
        return self

    def _check_values(self) -> None:
        if any(text == REDACTED.encode() for text in self.entries.values()):
            raise ValueError(f"holds {REDACTED}, as it is shown and not as it is; write the real value")
        if self.type != TLS:
            return
        try:
            pair = parse_pair(self.entries)
        except CredentialError as error:
            raise ValueError(f"{error}; write the certificate and its key as PEM") from None
        if pair is None:
            raise ValueError(f"type {TLS} needs tls.crt and tls.key; write both")


class ShownSecret(Secret):
    """A Secret as a control plane shows it, with REDACTED in the place of what nobody may see."""

    def trouble(self) -> str:
        """Nothing that can be seen, unless it has no key at all."""
        return "" if {"tls.key", "key"} & self.entries.keys() else "it holds no tls.crt and tls.key"

    def _check_values(self) -> None:
        """Nothing to check: what is secret is not there."""
