"""Secrets as they may be seen: what is public in them, and REDACTED for everything else."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import yaml

from meshext.config import Plain
from meshext.config.redaction import REDACTED
from meshext_controlplane.model.secret import PUBLIC
from meshext_controlplane.snapshot import SECRET, Resource
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import secret_pb2

_FIELDS = ("data", "stringData")


def redact_document(value: Mapping[str, Plain]) -> dict[str, Plain]:
    """A document of kind Secret as it is shown: certificates stay, keys and all else that it holds do not."""
    return {
        name: {each: _show(name, each, text) for each, text in part.items()}
        if name in _FIELDS and isinstance(part, dict)
        else part
        for name, part in value.items()
    }


def show_document(value: Mapping[str, Plain]) -> str:
    """The same as YAML."""
    return yaml.dump(redact_document(value), Dumper=_Blocks, sort_keys=False, allow_unicode=True)


class _Blocks(yaml.SafeDumper):
    """Text of several lines, as certificates are, stands in lines."""

    def represent_scalar(self, tag: str, value: str, style: str | None = None) -> yaml.ScalarNode:
        node: yaml.ScalarNode = super().represent_scalar(tag, value, "|" if "\n" in value else style)
        return node


def redact_resource(resource: Resource) -> Resource:
    """A resource as it is shown: one of Envoy's secrets without its private parts, under the same version."""
    if resource.type_url != SECRET:
        return resource
    message = secret_pb2.Secret.FromString(resource.body)
    _blot_out(message)
    body = message.SerializeToString(deterministic=True)
    return Resource(resource.type_url, resource.name, resource.version, body)


def _show(field: str, name: str, text: Plain) -> Plain:
    if name in PUBLIC:
        return text
    return base64.b64encode(REDACTED.encode()).decode() if field == "data" else REDACTED


def _blot_out(message: Any) -> None:
    if message.HasField("tls_certificate"):
        certificate = message.tls_certificate
        for part in ("private_key", "password", "pkcs12"):
            if certificate.HasField(part):
                getattr(certificate, part).inline_string = REDACTED
    for part in ("generic_secret", "session_ticket_keys"):
        if message.HasField(part):
            message.ClearField(part)
