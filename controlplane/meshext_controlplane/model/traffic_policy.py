"""The blocks of a DestinationRule's `trafficPolicy`: load balancing, connection pools, outliers, TLS."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from meshext_controlplane.model.base import Model
from meshext_controlplane.model.load_balancing import LoadBalancer
from meshext_controlplane.model.values import Duration

Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Percentage = Annotated[int, Field(ge=0, le=100)]


class TcpKeepalive(Model):
    """Probes of silent connections; the system's own values where one is not said."""

    probes: Count | None = None
    time: Duration | None = None
    interval: Duration | None = None


class TcpSettings(Model):
    """Connections. `max_connections` of 0 is no limit, as it is where nothing is said."""

    max_connections: Count = 0
    connect_timeout: Duration | None = None
    tcp_keepalive: TcpKeepalive | None = None
    max_connection_duration: Duration | None = None
    idle_timeout: Duration | None = None


class HttpSettings(Model):
    """Requests; a limit of 0 is none."""

    http1_max_pending_requests: Annotated[Count, Field(alias="http1MaxPendingRequests")] = 0
    http2_max_requests: Annotated[Count, Field(alias="http2MaxRequests")] = 0
    max_requests_per_connection: Count = 0
    max_retries: Count = 0
    idle_timeout: Duration | None = None
    h2_upgrade_policy: Annotated[
        Literal["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"], Field(alias="h2UpgradePolicy")
    ] = "DEFAULT"
    use_client_protocol: bool = False
    max_concurrent_streams: Count = 0


class ConnectionPool(Model):
    """`connectionPool`."""

    tcp: TcpSettings | None = None
    http: HttpSettings | None = None


class OutlierDetection(Model):
    """`outlierDetection`; a count of 0 switches that test off."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"consecutiveErrors": "write consecutiveGatewayErrors or consecutive5xxErrors"}
    )

    split_external_local_origin_errors: bool = False
    consecutive_local_origin_failures: Count | None = None
    consecutive_gateway_errors: Count | None = None
    consecutive_5xx_errors: Annotated[Count | None, Field(alias="consecutive5xxErrors")] = None
    interval: Duration | None = None
    base_ejection_time: Duration | None = None
    max_ejection_percent: Percentage | None = None
    min_health_percent: Percentage | None = None


class ClientTls(Model):
    """`tls`: how clients speak to the endpoints. Files are those of the client's machine."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "credentialName": "write clientCertificate, privateKey and caCertificates",
            "caCrl": "",
        }
    )

    mode: Literal["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"] = "DISABLE"
    client_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""
    subject_alt_names: tuple[str, ...] = ()
    sni: Annotated[str, Field(max_length=255)] = ""
    insecure_skip_verify: bool = False

    @model_validator(mode="after")
    def _fields_of_the_mode(self) -> Self:
        pair = bool(self.client_certificate), bool(self.private_key)
        if self.mode == "MUTUAL" and pair != (True, True):
            raise ValueError("mode MUTUAL needs clientCertificate and privateKey")
        if self.mode != "MUTUAL" and any(pair):
            raise ValueError(f"clientCertificate and privateKey go with mode MUTUAL, not {self.mode}")
        own = (self.ca_certificates, self.subject_alt_names, self.sni, self.insecure_skip_verify)
        if self.mode == "DISABLE" and any(own):
            raise ValueError("mode DISABLE takes no other field; write SIMPLE for TLS, or remove them")
        if self.mode == "ISTIO_MUTUAL" and (self.ca_certificates or self.insecure_skip_verify):
            raise ValueError("mode ISTIO_MUTUAL uses the mesh's own certificates; write sni and SANs only")
        if self.insecure_skip_verify and (self.ca_certificates or self.subject_alt_names):
            raise ValueError("insecureSkipVerify verifies nothing; remove it, or what is to be verified")
        return self


class PortPolicy(Model):
    """The four blocks."""

    load_balancer: LoadBalancer | None = None
    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTls | None = None


class RetryBudget(Model):
    """Retries as a share of what is under way, instead of a number."""

    percent: Annotated[float, Field(ge=0, le=100)] = 20.0
    min_retry_concurrency: Count = 3

    @model_validator(mode="after")
    def _is_a_number(self) -> Self:
        if math.isnan(self.percent):
            raise ValueError("percent: is no number; write 0 to 100")
        return self


class ProxyProtocol(Model):
    """`proxyProtocol`: connections begin with a line about the client (PROXY protocol of HAProxy)."""

    version: Literal["V1", "V2"] = "V1"


class TrafficPolicy(PortPolicy):
    """The four blocks, and what can not be set for a port alone."""

    retry_budget: RetryBudget | None = None
    proxy_protocol: ProxyProtocol | None = None
