"""Access logs as Envoy writes them: files, an access log service, OpenTelemetry's logs service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshext_controlplane.model.log_format import parse_json_format
from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.model.providers import FileAccessLog, GrpcAccessLog, OtelAccessLog, Provider
from meshext_controlplane.translate.custom import Serves
from meshext_controlplane.translate.messages import pack
from meshext_controlplane.translate.names import name_outbound
from meshext_controlplane.translate.telemetry import ENVOY, Logged
from meshext_proto.envoy.config.accesslog.v3 import accesslog_pb2
from meshext_proto.envoy.config.core.v3 import config_source_pb2, grpc_service_pb2
from meshext_proto.envoy.extensions.access_loggers.file.v3 import file_pb2
from meshext_proto.envoy.extensions.access_loggers.filters.cel.v3 import cel_pb2
from meshext_proto.envoy.extensions.access_loggers.grpc.v3 import als_pb2
from meshext_proto.envoy.extensions.access_loggers.open_telemetry.v3 import logs_service_pb2

AccessLog = accesslog_pb2.AccessLog

TEXT = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% '
    "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
    '"%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% '
    '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" '
    '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% '
    "%UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
    "%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"
)
"""A line of text where nobody asks for another; its fields are those of Istio's."""

FIELDS = {
    "start_time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "authority": "%REQ(:AUTHORITY)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "upstream_cluster": "%UPSTREAM_CLUSTER_RAW%",
    "upstream_host": "%UPSTREAM_HOST%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "downstream_peer": "%DOWNSTREAM_PEER_URI_SAN%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "route_name": "%ROUTE_NAME%",
}
"""An object where nobody asks for another."""


def build_access_logs(
    logged: Logged, config: MeshConfigSpec, serves: Serves, *, http: bool
) -> list[AccessLog]:
    """The loggers of a listener; an access log service only takes HTTP's."""
    logs = [build_mesh_log(config)] if config.access_log_file else []
    for name, expression in logged.providers.items():
        provider = config.provider(name)
        for log in _build(name, provider, serves, http=http):
            if expression and http:
                cel = cel_pb2.ExpressionFilter(expression=expression)
                log.filter.extension_filter.name = "envoy.access_loggers.extension_filters.cel"
                log.filter.extension_filter.typed_config.CopyFrom(pack(cel))
            logs.append(log)
    return logs


def build_mesh_log(config: MeshConfigSpec) -> AccessLog:
    """The log of MeshConfig's `accessLogFile`."""
    log = file_pb2.FileAccessLog(path=config.access_log_file)
    if config.access_log_encoding == "JSON":
        given = config.access_log_format
        log.log_format.json_format.update(parse_json_format(given) if given else FIELDS)
    else:
        _set_text(log, config.access_log_format or TEXT)
    return AccessLog(name="envoy.access_loggers.file", typed_config=pack(log))


def _build(name: str, provider: Provider | None, serves: Serves, *, http: bool) -> Iterator[AccessLog]:
    if provider is None:
        if name == ENVOY:
            yield build_file(FileAccessLog())
    elif provider.envoy_file_access_log is not None:
        yield build_file(provider.envoy_file_access_log)
    elif provider.service is not None and serves(*provider.service):
        if provider.envoy_http_als is not None and http:
            yield build_service(provider.envoy_http_als)
        elif provider.envoy_otel_als is not None:
            yield build_otel(provider.envoy_otel_als)


def build_file(given: FileAccessLog) -> AccessLog:
    """Lines in a file."""
    log = file_pb2.FileAccessLog(path=given.path)
    if given.log_format is not None and given.log_format.labels is not None:
        log.log_format.json_format.update(given.log_format.labels)
    else:
        _set_text(log, given.log_format.text if given.log_format and given.log_format.text else TEXT)
    log.log_format.omit_empty_values = given.omit_empty_values
    return AccessLog(name="envoy.access_loggers.file", typed_config=pack(log))


def build_service(given: GrpcAccessLog) -> AccessLog:
    """Entries to an access log service (`envoy.service.accesslog.v3.AccessLogService`)."""
    log = als_pb2.HttpGrpcAccessLogConfig(
        common_config=_common(given.service, given.port, given.log_name),
        additional_request_headers_to_log=given.additional_request_headers_to_log,
        additional_response_headers_to_log=given.additional_response_headers_to_log,
        additional_response_trailers_to_log=given.additional_response_trailers_to_log,
    )
    log.common_config.filter_state_objects_to_log.extend(given.filter_state_objects_to_log)
    return AccessLog(name="envoy.access_loggers.http_grpc", typed_config=pack(log))


def build_otel(given: OtelAccessLog) -> AccessLog:
    """Entries to OpenTelemetry's logs service."""
    log = logs_service_pb2.OpenTelemetryAccessLogConfig(
        common_config=_common(given.service, given.port, given.log_name)
    )
    body = given.log_format.text if given.log_format and given.log_format.text else TEXT
    log.body.string_value = body
    labels: Mapping[str, str] = given.log_format.labels if given.log_format else {}
    for name, value in labels.items():
        log.attributes.values.add(key=name, value={"string_value": value})
    return AccessLog(name="envoy.access_loggers.open_telemetry", typed_config=pack(log))


def _set_text(log: file_pb2.FileAccessLog, text: str) -> None:
    log.log_format.text_format_source.inline_string = text if text.endswith("\n") else f"{text}\n"


def _common(service: str, port: int, log_name: str) -> als_pb2.CommonGrpcAccessLogConfig:
    return als_pb2.CommonGrpcAccessLogConfig(
        log_name=log_name, grpc_service=build_grpc(service, port), transport_api_version=config_source_pb2.V3
    )


def build_grpc(service: str, port: int) -> grpc_service_pb2.GrpcService:
    """Calls to a service of the mesh."""
    host = service.rpartition("/")[2]
    envoy = grpc_service_pb2.GrpcService.EnvoyGrpc(cluster_name=name_outbound(port, "", host), authority=host)
    return grpc_service_pb2.GrpcService(envoy_grpc=envoy)
