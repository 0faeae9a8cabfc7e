"""Options that are written as bytes say what the library would have written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meshext.hosts.header_options import IS_SET, VALUE, write_mutation, write_option
from meshext.hosts.wire_fields import field, varint
from meshext.http.parts import HeaderChange
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.service.ext_proc.v3.external_processor_pb2 import HeaderMutation
from meshext_proto.google.protobuf.wrappers_pb2 import BytesValue, UInt64Value

NAMES = st.text("abcxyz-", min_size=1, max_size=150)
VALUES = st.binary(max_size=200) | st.just(b"v" * 20_000)
SET = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
ADD = base_pb2.HeaderValueOption.APPEND_IF_EXISTS_OR_ADD


@given(st.integers(0, 2**64 - 1))
def test_whole_numbers(number: int) -> None:
    assert UInt64Value.FromString(b"\x08" + varint(number)).value == number


@given(VALUES)
def test_one_field(content: bytes) -> None:
    assert BytesValue.FromString(field(b"\x0a", content)).value == content


@given(NAMES, st.text(max_size=300))
def test_one_option_with_a_text(name: str, text: str) -> None:
    wanted = base_pb2.HeaderValueOption(
        header=base_pb2.HeaderValue(key=name, value=text), append_action=SET
    ).SerializeToString()
    assert base_pb2.HeaderValueOption.FromString(
        write_option(name, VALUE, text.encode(), IS_SET)
    ) == base_pb2.HeaderValueOption.FromString(wanted)


@given(st.lists(NAMES), st.lists(st.tuples(NAMES, st.lists(VALUES, min_size=1, max_size=3))))
def test_one_mutation(removed: list[str], replaced: list[tuple[str, list[bytes]]]) -> None:
    wanted = HeaderMutation(remove_headers=removed)
    for name, values in replaced:
        for at, value in enumerate(values):
            option = wanted.set_headers.add(append_action=ADD if at else SET)
            option.append.value = at > 0
            option.header.key, option.header.raw_value = name, value
    change = HeaderChange(tuple(removed), tuple((name, tuple(values)) for name, values in replaced))
    assert HeaderMutation.FromString(write_mutation(change)) == wanted
