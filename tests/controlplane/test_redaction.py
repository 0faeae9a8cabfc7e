"""Secrets as they may be seen."""

from __future__ import annotations

import base64

import yaml
from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.model.secret import PUBLIC
from meshext_controlplane.redaction import redact_document, redact_resource, show_document
from meshext_controlplane.snapshot import encode_resource
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import secret_pb2

SHOWN = """\
kind: Secret
metadata:
  name: a
stringData:
  tls.crt: |
    one
    two
  tls.key: <redacted>
data:
  password: PHJlZGFjdGVkPg==
"""


def test_a_document() -> None:
    given = yaml.safe_load(SHOWN)
    given["stringData"]["tls.key"] = "a key\nof lines"
    given["data"]["password"] = base64.b64encode(b"pw").decode()
    assert show_document(given) == SHOWN


NAMES = st.one_of(st.sampled_from(sorted(PUBLIC)), st.text())


@given(st.dictionaries(NAMES, st.text(min_size=20)), st.sampled_from(["data", "stringData"]))
def test_nothing_but_certificates_comes_through(entries: dict[str, str], field: str) -> None:
    shown = redact_document({"kind": "Secret", field: dict(entries)})[field]
    assert isinstance(shown, dict)
    for name, text in entries.items():
        assert (shown[name] == text) == (name in PUBLIC)


def test_a_resource_keeps_its_version_and_loses_its_key() -> None:
    secret = secret_pb2.Secret(name="s")
    secret.tls_certificate.certificate_chain.inline_string = "public"
    secret.tls_certificate.private_key.inline_bytes = b"private"
    secret.tls_certificate.password.inline_string = "password"
    resource = encode_resource("s", secret)
    shown = redact_resource(resource)
    assert (shown.name, shown.version) == (resource.name, resource.version)
    assert b"public" in shown.body
    assert b"private" not in shown.body
    assert b"password" not in shown.body


def test_other_resources_stay_as_they_are() -> None:
    resource = encode_resource("c", cluster_pb2.Cluster(name="c"))
    assert redact_resource(resource) is resource


def test_secrets_of_other_kinds_are_emptied() -> None:
    secret = secret_pb2.Secret(name="g")
    secret.generic_secret.secret.inline_string = "private"
    assert b"private" not in redact_resource(encode_resource("g", secret)).body
