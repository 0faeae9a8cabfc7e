"""Tracing of the connection manager: spans over OTLP or to Zipkin, and tags on them."""

from __future__ import annotations

from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.model.providers import OtelTracing, Provider, ZipkinTracing
from meshext_controlplane.model.telemetry import CustomTag
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.translate.access_logs import build_grpc
from meshext_controlplane.translate.custom import Serves
from meshext_controlplane.translate.messages import pack
from meshext_controlplane.translate.names import name_outbound
from meshext_controlplane.translate.telemetry import Traced
from meshext_proto.envoy.config.trace.v3 import http_tracer_pb2, opentelemetry_pb2, zipkin_pb2
from meshext_proto.envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as manager_pb2,
)
from meshext_proto.envoy.type.tracing.v3 import custom_tag_pb2

Tracing = manager_pb2.HttpConnectionManager.Tracing
NAME_LABELS = ("service.istio.io/canonical-name", "app.kubernetes.io/name", "app")
"""Labels that say what a workload is called, the first that is there."""


def build_tracing(
    traced: Traced, config: MeshConfigSpec, workload: Workload, serves: Serves
) -> Tracing | None:
    """The connection manager's part; None where nothing is traced."""
    provider = config.provider(traced.provider)
    if provider is None or provider.service is None or not serves(*provider.service):
        return None
    told = build_provider(provider, workload)
    if told is None:
        return None
    tracing = Tracing(provider=told)
    tracing.random_sampling.value = traced.sampling
    tracing.client_sampling.value = 100
    tracing.overall_sampling.value = 100
    given = provider.opentelemetry or provider.zipkin
    longest = given.max_tag_length if given is not None else None
    tracing.max_path_tag_length.value = longest or config.tracing.max_path_tag_length
    tracing.spawn_upstream_span.value = False
    for name, tag in traced.tags.items():
        tracing.custom_tags.append(build_tag(name, tag))
    return tracing


def build_provider(provider: Provider, workload: Workload) -> http_tracer_pb2.Tracing.Http | None:
    """Where spans go."""
    if isinstance(provider.opentelemetry, OtelTracing):
        otel = opentelemetry_pb2.OpenTelemetryConfig(
            grpc_service=build_grpc(provider.opentelemetry.service, provider.opentelemetry.port),
            service_name=name_service(workload),
        )
        return http_tracer_pb2.Tracing.Http(name="envoy.tracers.opentelemetry", typed_config=pack(otel))
    if isinstance(provider.zipkin, ZipkinTracing):
        host = provider.zipkin.service.rpartition("/")[2]
        zipkin = zipkin_pb2.ZipkinConfig(
            collector_cluster=name_outbound(provider.zipkin.port, "", host),
            collector_endpoint=provider.zipkin.path,
            collector_endpoint_version=zipkin_pb2.ZipkinConfig.HTTP_JSON,
            collector_hostname=host,
            trace_id_128bit=not provider.zipkin.enable64bit_trace_id,
        )
        return http_tracer_pb2.Tracing.Http(name="envoy.tracers.zipkin", typed_config=pack(zipkin))
    return None


def name_service(workload: Workload) -> str:
    """What a workload is called in traces: a label of it, else its service account, and the namespace."""
    labels = workload.labels
    name = next((labels[each] for each in NAME_LABELS if labels.get(each)), workload.identity.service_account)
    return f"{name}.{workload.namespace}"


def build_tag(name: str, tag: CustomTag) -> custom_tag_pb2.CustomTag:
    """One tag on every span."""
    built = custom_tag_pb2.CustomTag(tag=name)
    if tag.literal is not None:
        built.literal.value = tag.literal.value
    elif tag.environment is not None:
        built.environment.name = tag.environment.name
        built.environment.default_value = tag.environment.default_value
    elif tag.header is not None:
        built.request_header.name = tag.header.name
        built.request_header.default_value = tag.header.default_value
    return built
