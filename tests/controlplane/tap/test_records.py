"""Entries of Envoy's logs and OTLP exports as plain records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.tap.calls import LONGEST, Call, to_call
from meshext_controlplane.tap.spans import to_spans
from meshext_proto.envoy.data.accesslog.v3 import accesslog_pb2
from meshext_proto.google.protobuf import struct_pb2
from meshext_proto.opentelemetry.proto.collector.trace.v1 import trace_service_pb2

Entry = accesslog_pb2.HTTPAccessLogEntry
CUSTOMERS = "spiffe://cluster.local/ns/shop/sa/customers"


def call(details: str = "via_upstream", cluster: str = "", server: str = "") -> Call:
    return Call(
        node="checkout.shop",
        start=0.0,
        duration=0.0,
        method="GET",
        authority="checkout.shop",
        path="/",
        code=200,
        details=details,
        cluster=cluster,
        server=server,
    )


@pytest.mark.parametrize(
    ("details", "who"),
    [
        ("via_upstream", ""),
        ("", ""),
        (
            "rbac_access_denied_matched_policy[ns[shop]-policy[no-admin]-rule[0]]",
            "AuthorizationPolicy shop/no-admin",
        ),
        (
            "rbac_access_denied_matched_policy[istio-ext-authz-p-ns[a]-policy[b]-rule[12]]",
            "AuthorizationPolicy a/b",
        ),
        ("rbac_access_denied_matched_policy[none]", "no ALLOW matched"),
        ("rate_limited", "rate-limit"),
        ("no_healthy_upstream", "no_healthy_upstream"),
    ],
)
def test_what_refused_a_call(details: str, who: str) -> None:
    assert call(details).refused_by == who


def test_a_host_that_no_document_names_is_refused_by_the_mesh() -> None:
    assert replace(call("direct_response"), route="block_all").refused_by == "REGISTRY_ONLY"


@pytest.mark.parametrize(
    ("cluster", "subset"),
    [
        ("outbound|80|v2|recommendation.shop.svc.cluster.local", "v2"),
        ("outbound|80||recommendation.shop.svc.cluster.local", ""),
        ("inbound|8080||", ""),
        ("", ""),
    ],
)
def test_subset_of_a_cluster(cluster: str, subset: str) -> None:
    assert call(cluster=cluster).subset == subset


def test_a_call_is_inbound_where_a_certificate_was_shown_or_the_application_is_the_cluster() -> None:
    assert call(server=CUSTOMERS).inbound
    assert call(cluster="inbound|8080||").inbound
    assert not call(cluster="outbound|80||checkout.shop.svc.cluster.local").inbound


def test_a_filters_own_words_stand_for_those_of_ext_authz() -> None:
    entry = Entry()
    entry.response.response_code_details = "ext_authz_denied"
    own = struct_pb2.Struct()
    own.update({"details": "rate_limited"})
    entry.common_properties.metadata.filter_metadata["meshext"].CopyFrom(own)
    assert to_call(entry, "n").refused_by == "rate-limit"


def test_what_filters_wrote_comes_by_their_names() -> None:
    entry = Entry()
    everything: dict[str, dict[str, Any]] = {
        "meshext.telemetry": {"route": "/orders/{id}", "sampled": True, "n": 1.5, "list": [1]},
        "envoy.filters.http.rbac": {"shadow": "x"},
        "meshext": {"details": "rate_limited"},
    }
    for namespace, written in everything.items():
        fields = struct_pb2.Struct()
        fields.update(written)
        entry.common_properties.metadata.filter_metadata[namespace].CopyFrom(fields)
    assert to_call(entry, "n").filters == {
        "telemetry": {"route": "/orders/{id}", "sampled": "true", "n": "1.5", "list": ""}
    }


def test_identity_is_the_uri_of_a_certificate_and_no_other_name() -> None:
    entry = Entry()
    names = entry.common_properties.tls_properties.peer_certificate_properties
    names.subject_alt_name.add(dns="spiffe://cluster.local/ns/shop/sa/admin")
    assert to_call(entry, "n").peer == ""
    names.subject_alt_name.add(uri=CUSTOMERS)
    assert to_call(entry, "n").peer == CUSTOMERS


@given(st.binary(max_size=2_000))
def test_any_bytes_that_are_an_entry_make_a_record(data: bytes) -> None:
    try:
        entry = Entry.FromString(data)
    except DecodeError:
        return
    found = to_call(entry, "n")
    assert isinstance(found.refused_by + found.subset, str)


def test_texts_are_bounded() -> None:
    entry = Entry()
    entry.request.path = "/" * 100_000
    entry.request.authority = "a" * 100_000
    entry.response.response_code_details = "d" * 100_000
    found = to_call(entry, "n" * 100_000)
    assert {len(found.path), len(found.authority), len(found.details), len(found.node)} == {LONGEST}


def test_a_span_with_its_service_parent_and_scalars() -> None:
    request = trace_service_pb2.ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "checkout"
    span = group.instrumentation_library_spans.add().spans.add(
        name="POST /orders", trace_id=b"\x01" * 16, span_id=b"\x02" * 8, parent_span_id=b"\x03" * 8
    )
    span.start_time_unix_nano, span.end_time_unix_nano = 2_000_000_000, 3_500_000_000
    span.attributes.add(key="code").value.int_value = 200
    span.attributes.add(key="list").value.array_value.values.add(string_value="left out")
    (found,) = to_spans(request)
    assert (found.service, found.name, found.parent) == ("checkout", "POST /orders", "03" * 8)
    assert (found.trace, found.id, found.end - found.start) == ("01" * 16, "02" * 8, 1.5)
    assert dict(found.attributes) == {"code": 200}
