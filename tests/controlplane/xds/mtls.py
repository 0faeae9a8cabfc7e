"""Certificates of a control plane and of proxies, for both ends of the ADS."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import DAY, Authority, Pair
from tests.controlplane.xds.serving import IDENTITY

NAME = "controlplane.meshext.internal"


class MeshAuthority:
    """A root of the mesh in a folder."""

    def __init__(self, folder: Path) -> None:
        self._authority = Authority(folder, "root")
        self.root = self._authority.file

    def server(self) -> grpc.ServerCredentials:
        usage = ExtendedKeyUsageOID.SERVER_AUTH
        pair = self._authority.issue("server", [x509.DNSName(NAME)], usage=usage)
        held = [(pair.key.read_bytes(), pair.certificate.read_bytes())]
        return grpc.ssl_server_credentials(held, self.root.read_bytes(), require_client_auth=True)

    def proxy(self, *, until: timedelta = DAY) -> Pair:
        return self._authority.issue("proxy", [x509.UniformResourceIdentifier(str(IDENTITY))], until=until)

    def client(self, pair: Pair) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(
            self.root.read_bytes(), pair.key.read_bytes(), pair.certificate.read_bytes()
        )

    def envoy(self, pair: Pair) -> dict[str, Any]:
        """`UpstreamTlsContext`."""
        files = {
            "certificate_chain": {"filename": str(pair.certificate)},
            "private_key": {"filename": str(pair.key)},
        }
        context = {
            "tls_certificates": [files],
            "validation_context": {
                "trusted_ca": {"filename": str(self.root)},
                "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": NAME}}],
            },
        }
        return {"sni": NAME, "common_tls_context": context}
