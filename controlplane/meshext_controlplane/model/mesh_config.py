"""`MeshConfig`: what holds for the whole mesh (Istio's `MeshConfig`, as a document of its own)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import MeshDocument, Model, Namespace
from meshext_controlplane.model.log_format import check_log_format, parse_json_format
from meshext_controlplane.model.providers import Provider
from meshext_controlplane.model.spiffe import check_trust_domain


class OutboundTrafficPolicy(Model):
    """What becomes of calls to hosts that no document names; Istio's `outboundTrafficPolicy`."""

    mode: Literal["ALLOW_ANY", "REGISTRY_ONLY"] = "ALLOW_ANY"


class PathNormalization(Model):
    """How paths are made plain before anything is decided about them; Istio's `pathNormalization`.

    Istio's own default, BASE, lets `//admin` and `%2fadmin` past a DENY for `/admin`.
    """

    normalization: Literal["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"] = (
        "DECODE_AND_MERGE_SLASHES"
    )


class DefaultProviders(Model):
    """Providers that are used where no Telemetry names one; Istio's `defaultProviders`."""

    access_logging: tuple[str, ...] = ()
    tracing: Annotated[tuple[str, ...], Field(max_length=1)] = ()
    metrics: tuple[str, ...] = ()


class Tracing(Model):
    """What is traced where no Telemetry says otherwise: `sampling` in percent; Istio's `tracing`."""

    sampling: Annotated[float, Field(ge=0, le=100)] = 1.0
    max_path_tag_length: Annotated[int, Field(ge=1)] = 256

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "customTags": "write a Telemetry with customTags in the root namespace",
            "zipkin": "write an extensionProviders entry and name it in defaultProviders",
        }
    )


_AT_THE_TOP = "write numTrustedProxies and tracing at the top of spec"


def check_alias(alias: str) -> str:
    """A former name of the trust domain, `*x` for a suffix; ValueError if it is none."""
    check_trust_domain(alias.removeprefix("*").lstrip(".") if alias.startswith("*") else alias)
    return alias


class MeshConfigSpec(Model):
    """The fields; a mesh without the document has the defaults.

    `access_log_file` is "" for no access log beside those of providers; `access_log_format` is text, or a
    JSON object where that is the encoding.
    """

    trust_domain: Annotated[str, AfterValidator(check_trust_domain)] = "cluster.local"
    trust_domain_aliases: tuple[Annotated[str, AfterValidator(check_alias)], ...] = ()
    root_namespace: Namespace = "istio-system"
    outbound_traffic_policy: OutboundTrafficPolicy = OutboundTrafficPolicy()
    path_normalization: PathNormalization = PathNormalization()
    num_trusted_proxies: Annotated[int, Field(ge=0, le=100)] = 0
    extension_providers: Annotated[tuple[Provider, ...], Field(max_length=1000)] = ()
    default_providers: DefaultProviders = DefaultProviders()
    access_log_file: str = ""
    access_log_encoding: Literal["TEXT", "JSON"] = "TEXT"
    access_log_format: str = ""
    enable_tracing: bool = True
    tracing: Tracing = Tracing()

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            **dict.fromkeys(
                (
                    "ca caCertificates certificates configSources connectTimeout "
                    "defaultDestinationRuleExportTo defaultHttpRetryPolicy defaultServiceExportTo "
                    "defaultVirtualServiceExportTo disableEnvoyListenerLog discoverySelectors dnsRefreshRate "
                    "enableAutoMtls enableEnvoyAccessLogService enablePrometheusMerge h2UpgradePolicy "
                    "hboneIdleTimeout inboundClusterStatName inboundTrafficPolicy ingressClass "
                    "ingressControllerMode ingressSelector ingressService localityLbSetting meshMTLS "
                    "outboundClusterStatName protocolDetectionTimeout proxyHttpPort proxyInboundListenPort "
                    "proxyListenPort serviceScopeConfigs serviceSettings tcpKeepalive tlsDefaults "
                    "verifyCertificateAtClient"
                ).split(),
                "",
            ),
            "defaultConfig": _AT_THE_TOP,
        }
    )

    @model_validator(mode="after")
    def _format_holds(self) -> Self:
        check = parse_json_format if self.access_log_encoding == "JSON" else check_log_format
        try:
            check(self.access_log_format or "{}")
        except ValueError as error:
            raise ValueError(f"accessLogFormat: {error}") from None
        return self

    @model_validator(mode="after")
    def _names_hold(self) -> Self:
        names = [provider.name for provider in self.extension_providers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"extensionProviders: there are two {twice[0]!r}; give one another name")
        wanted = self.default_providers
        for field, capable in (
            ("accessLogging", ["envoy", *(p.name for p in self.extension_providers if p.logs)]),
            ("tracing", [p.name for p in self.extension_providers if p.traces]),
            ("metrics", ["prometheus", *(p.name for p in self.extension_providers if p.prometheus)]),
        ):
            for name in getattr(wanted, {"accessLogging": "access_logging"}.get(field, field)):
                if name not in capable:
                    raise ValueError(
                        f"defaultProviders.{field}: no provider {name!r} that can do it; "
                        f"add it to extensionProviders"
                    )
        return self

    def provider(self, name: str) -> Provider | None:
        """The provider of that name."""
        return next((each for each in self.extension_providers if each.name == name), None)


class MeshConfig(MeshDocument):
    """The document; a mesh has one at most."""

    KIND: ClassVar[str] = "MeshConfig"
    VERSIONS: ClassVar[tuple[str, ...]] = ("meshext.dev/v1", "install.istio.io/v1alpha1")

    spec: MeshConfigSpec = MeshConfigSpec()
