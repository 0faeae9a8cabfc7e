"""Counts and durations of requests with tags, as stock Envoy can make them: its `stats` access logger.

Names and tags are Istio's as far as Envoy knows their values; `istio_requests_total` is shown by Envoy's
Prometheus page as `envoy_istio_requests_total`.
"""

from __future__ import annotations

from collections.abc import Mapping

from meshext_controlplane.model.workload import Workload
from meshext_controlplane.translate.access_logs import AccessLog
from meshext_controlplane.translate.messages import pack
from meshext_controlplane.translate.telemetry import Counted, Side
from meshext_controlplane.translate.tracing import name_service
from meshext_proto.envoy.extensions.access_loggers.stats.v3 import stats_pb2

Config = stats_pb2.Config
PREFIX = "istio"

COUNTERS = {"REQUEST_COUNT": "requests_total"}
HISTOGRAMS = {
    "REQUEST_DURATION": ("request_duration_milliseconds", Config.Histogram.Milliseconds, "%DURATION%"),
    "REQUEST_SIZE": ("request_bytes", Config.Histogram.Bytes, "%BYTES_RECEIVED%"),
    "RESPONSE_SIZE": ("response_bytes", Config.Histogram.Bytes, "%BYTES_SENT%"),
}
ALL = "ALL_METRICS"

TAGS = {
    "request_protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "grpc_response_status": "%GRPC_STATUS_NUMBER%",
}
OF_SIDE = {
    Side.SERVER: {"reporter": "destination", "source_principal": "%DOWNSTREAM_PEER_URI_SAN%"},
    Side.CLIENT: {
        "reporter": "source",
        "destination_principal": "%UPSTREAM_PEER_URI_SAN%",
        "destination_service": "%UPSTREAM_CLUSTER_RAW%",
    },
}


def build_metrics(counted: Counted, workload: Workload, side: Side) -> AccessLog | None:
    """The logger that counts; None where nothing is to be counted."""
    if not counted.counted:
        return None
    config = Config(stat_prefix=PREFIX)
    for metric, name in COUNTERS.items():
        tags = find_tags(metric, counted, workload, side)
        if tags is not None:
            counter = config.counters.add(stat=_stat(name, tags))
            counter.value_fixed.value = 1
    for metric, (name, unit, value) in HISTOGRAMS.items():
        tags = find_tags(metric, counted, workload, side)
        if tags is not None:
            config.histograms.add(stat=_stat(name, tags), unit=unit, value_format=value)
    if not config.counters and not config.histograms:
        return None
    return AccessLog(name="envoy.access_loggers.stats", typed_config=pack(config))


def find_tags(metric: str, counted: Counted, workload: Workload, side: Side) -> dict[str, str] | None:
    """The tags of one metric by name; None where it is disabled."""
    own = "destination_workload" if side is Side.SERVER else "source_workload"
    tags = {**TAGS, **OF_SIDE[side], own: name_service(workload)}
    disabled = False
    for override in counted.overrides:
        if override.match.metric in (metric, ALL):
            disabled = disabled if override.disabled is None else override.disabled
            for name, tag in override.tag_overrides.items():
                tags.pop(name, None)
                if tag.operation == "UPSERT":
                    tags[name] = f"%CEL({tag.value})%"
    return None if disabled else dict(sorted(tags.items()))


def _stat(name: str, tags: Mapping[str, str]) -> Config.Stat:
    stat = Config.Stat(name=name)
    for tag, value in tags.items():
        stat.tags.add(name=tag, value_format=value)
    return stat
