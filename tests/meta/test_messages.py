"""`meshext_proto`: Envoy's messages, in a pool of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf import struct_pb2 as default_struct
from google.protobuf.descriptor import Descriptor
from google.protobuf.internal import api_implementation

import meshext_proto
from meshext.errors import ProtocolError
from meshext.hosts._wire import to_lines
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2
from meshext_proto.envoy.service.ext_proc.v3 import external_processor_pb2
from meshext_proto.google.protobuf import any_pb2, duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
from meshext_proto.google.rpc import code_pb2, status_pb2
from meshext_proto.meshext import received_pb2

ROOT = Path(__file__).parents[2]
CHECKOUT = [ROOT / name for name in "meshext filters wasm controlplane proto tests e2e".split()]
CLAIMS = {"sub": "alice", "groups": ["a", "b"]}


def metadata() -> base_pb2.Metadata:
    fields = struct_pb2.Struct()
    fields.update({"claims": CLAIMS, "admin": False, "age": 3.0, "none": None})
    return base_pb2.Metadata(filter_metadata={"envoy.filters.http.jwt_authn": fields})


def test_messages_are_parsed_by_upb() -> None:
    assert api_implementation.Type() == "upb"


def test_check_request_survives_the_wire() -> None:
    request = external_auth_pb2.CheckRequest()
    http = request.attributes.request.http
    http.path = "/a?b=c"
    http.headers["x-a"] = "1"
    http.raw_body = b"\x00\xff"
    request.attributes.metadata_context.CopyFrom(metadata())

    copy = external_auth_pb2.CheckRequest.FromString(request.SerializeToString())

    assert copy == request
    claims = copy.attributes.metadata_context.filter_metadata["envoy.filters.http.jwt_authn"]
    assert json_format.MessageToDict(claims.fields["claims"]) == CLAIMS
    assert claims["none"] is None


def test_processing_request_survives_the_wire() -> None:
    request = external_processor_pb2.ProcessingRequest(metadata_context=metadata())
    request.request_headers.headers.headers.add(key=":path", raw_value=b"/\xff")
    request.request_headers.end_of_stream = True
    request.attributes["envoy.filters.http.ext_proc"].update({"source.port": 80})

    copy = external_processor_pb2.ProcessingRequest.FromString(request.SerializeToString())

    assert copy == request
    assert copy.WhichOneof("request") == "request_headers"
    assert copy.request_headers.headers.headers[0].raw_value == b"/\xff"
    assert copy.attributes["envoy.filters.http.ext_proc"]["source.port"] == 80


def test_well_known_types_keep_their_methods() -> None:
    packed = any_pb2.Any()
    packed.Pack(wrappers_pb2.StringValue(value="a"))
    unpacked = wrappers_pb2.StringValue()
    assert packed.Unpack(unpacked)
    assert unpacked.value == "a"

    stamp = timestamp_pb2.Timestamp()
    stamp.FromJsonString("2026-01-02T03:04:05Z")
    assert stamp.ToSeconds() == 1767323045
    assert duration_pb2.Duration(seconds=1, nanos=500_000_000).ToMilliseconds() == 1500


def test_json_reads_the_private_pool() -> None:
    packed = any_pb2.Any()
    packed.Pack(status_pb2.Status(code=code_pb2.PERMISSION_DENIED, message="no"))
    response = external_auth_pb2.CheckResponse(status=status_pb2.Status(details=[packed]))

    text = json_format.MessageToJson(response, descriptor_pool=meshext_proto.POOL)
    copy = json_format.Parse(text, external_auth_pb2.CheckResponse(), descriptor_pool=meshext_proto.POOL)

    assert copy == response
    assert '"@type": "type.googleapis.com/google.rpc.Status"' in text


def test_pool_is_not_the_default_one() -> None:
    assert default_struct.DESCRIPTOR.pool is not meshext_proto.POOL
    assert struct_pb2.DESCRIPTOR.pool is meshext_proto.POOL
    assert external_auth_pb2.DESCRIPTOR.pool is meshext_proto.POOL
    assert external_auth_pb2.CheckRequest.__module__ == external_auth_pb2.__name__


# Other definitions in the default pool under the names of ours, as the packages of others bring them
# (googleapis-common-protos, xds-protos): in a process of its own, since no pool forgets a file.
STRANGERS = """
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_health.v1 import health_pb2
for name in ("google/rpc/status.proto", "envoy/config/core/v3/base.proto"):
    file = descriptor_pb2.FileDescriptorProto(name=name, package=name.rpartition("/")[0].replace("/", "."))
    file.message_type.add(name="Status")
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
"""
OURS = """
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2
from meshext_proto.google.rpc import status_pb2
answer = external_auth_pb2.CheckResponse(status=status_pb2.Status(code=7))
assert external_auth_pb2.CheckResponse.FromString(answer.SerializeToString()).status.code == 7
"""
HEALTH = """
assert health_pb2.HealthCheckResponse(status="SERVING").SerializeToString() == b"\\x08\\x01"
"""


def test_messages_of_others_do_not_clash() -> None:
    for script in (STRANGERS + OURS + HEALTH, OURS + STRANGERS + HEALTH):
        subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=60)


def test_no_generated_module_lies_in_the_checkout() -> None:
    generated = Path(meshext_proto.__file__).parent
    assert not any(generated.is_relative_to(folder) for folder in CHECKOUT)
    assert [path for folder in CHECKOUT for path in folder.rglob("*_pb2*")] == []
    assert not (ROOT / meshext_proto.__name__).exists()


def fields_on_the_wire(message: Descriptor, prefix: str = "") -> Iterator[tuple[str, int, bool]]:
    """Name, number and whether it is a number (else bytes of some kind), of a message and those in it."""
    for field in message.fields:
        yield prefix + field.name, field.number, field.type == field.TYPE_BOOL
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            yield from fields_on_the_wire(field.message_type, f"{prefix}{field.name}.")


@pytest.mark.parametrize(
    ("read", "sent"),
    [
        (received_pb2.CheckRequest, external_auth_pb2.CheckRequest),
        (received_pb2.ProcessingRequest, external_processor_pb2.ProcessingRequest),
    ],
)
def test_what_is_read_are_fields_of_what_envoy_sends(read: Any, sent: Any) -> None:
    for name, number, is_flag in fields_on_the_wire(read.DESCRIPTOR):
        message = sent.DESCRIPTOR
        *path, last = name.split(".")
        for step in path:
            message = message.fields_by_name[step].message_type
        field = message.fields_by_name[last]
        assert (field.number, field.type == field.TYPE_BOOL) == (number, is_flag), name


def test_lines_are_read_from_their_bytes() -> None:
    request = external_processor_pb2.ProcessingRequest()
    for name, value in (("X-A", b"1"), ("x-long", b"y" * 200), ("x-a", b"\xff"), ("x-empty", b"")):
        request.request_headers.headers.headers.add(key=name, raw_value=value)
    request.request_headers.headers.headers.add(key="x-text", value="\u00e9")
    read = received_pb2.ProcessingRequest.FromString(request.SerializeToString())
    lines = (("x-a", b"1"), ("x-long", b"y" * 200), ("x-a", b"\xff"), ("x-empty", b""))
    assert to_lines(read.request_headers.headers.headers) == (*lines, ("x-text", "\u00e9".encode()))
    with pytest.raises(ProtocolError, match="HeaderValue"):
        to_lines([b"\x0a\x05x"])
