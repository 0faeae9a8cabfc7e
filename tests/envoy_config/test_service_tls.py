"""TLS to the filter's service, from options to Envoy's messages."""

from __future__ import annotations

import pytest

from meshext.envoy.emit import to_data
from meshext.envoy.service_cluster import Backend, build_service_cluster
from meshext.envoy.service_tls import ServiceTls, parse_service_tls
from meshext.envoy.upstreams import parse_address
from meshext.errors import ConfigError

TCP = parse_address("service.local:9000")
UNIX = parse_address("unix:/run/service.sock")


def context(tls: ServiceTls) -> dict[str, object]:
    data = to_data(build_service_cluster(Backend(addresses=(TCP,), tls=tls)))
    found: dict[str, object] = data["transport_socket"]["typed_config"]
    return found


def test_without_options_there_is_no_tls() -> None:
    assert parse_service_tls(None, None, None, None, TCP) is None
    assert "transport_socket" not in to_data(build_service_cluster(Backend(addresses=(TCP,))))


def test_the_host_of_the_address_is_the_name() -> None:
    tls = parse_service_tls("ca.pem", None, None, None, TCP)
    assert tls == ServiceTls(ca="ca.pem", name="service.local")
    assert context(tls) == {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": {
            "validation_context": {
                "trusted_ca": {"filename": "ca.pem"},
                "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "service.local"}}],
            },
            "alpn_protocols": ["h2"],
        },
        "sni": "service.local",
    }


@pytest.mark.parametrize(
    ("name", "kind"), [("spiffe://a/b", "URI"), ("127.0.0.1", "IP_ADDRESS"), ("::1", "IP_ADDRESS")]
)
def test_other_names_are_no_server_names(name: str, kind: str) -> None:
    found = context(ServiceTls(ca="ca.pem", name=name))
    assert "sni" not in found
    assert f"'san_type': '{kind}', 'matcher': {{'exact': '{name}'}}" in str(found)


def test_what_envoy_shows() -> None:
    tls = ServiceTls(ca="ca.pem", name="a", certificate="me.pem", key="me.key")
    pair = {"certificate_chain": {"filename": "me.pem"}, "private_key": {"filename": "me.key"}}
    assert f"'tls_certificates': [{pair}]" in str(context(tls))


def test_what_lacks_its_partner_is_refused_by_name() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_service_tls(None, None, "me.pem", None, UNIX)
    assert [problem.split(" ")[0] for problem in caught.value.problems] == [
        "--ca",
        "--client-key",
        "--server-name",
    ]
