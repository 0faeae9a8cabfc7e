"""`HeaderValueOption`s as bytes: headers that are written to a message on its way.

`envoy.config.core.v3.HeaderValueOption`. Its deprecated `append` is set for ext_proc, since Envoy 1.40 obeys
it there, and left out for ext_authz, where it joins lines with a comma (see `ext_authz.add_option`).
"""

from __future__ import annotations

from typing import Any

from meshext.hosts._wire import ADD, SET
from meshext.hosts.wire_fields import field, tag
from meshext.http.parts import HeaderChange
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.service.ext_proc.v3 import external_processor_pb2


def write_tail(action: Any, **fields: Any) -> bytes:
    """What follows the header in an option: how it is put there."""
    return base_pb2.HeaderValueOption(append_action=action, **fields).SerializeToString()


KEY, VALUE, RAW_VALUE = (tag(base_pb2.HeaderValue, name) for name in ("key", "value", "raw_value"))
HEADER = tag(base_pb2.HeaderValueOption, "header")
SET_HEADERS, REMOVE_HEADERS = (
    tag(external_processor_pb2.HeaderMutation, name) for name in ("set_headers", "remove_headers")
)
IS_SET = write_tail(SET)
SAYS_SET, SAYS_ADDED = write_tail(SET, append={"value": False}), write_tail(ADD, append={"value": True})


def write_option(name: str, kind: bytes, value: bytes, tail: bytes) -> bytes:
    """One option; `kind` is the field of the `HeaderValue` that has its value."""
    return field(HEADER, field(KEY, name.encode()) + field(kind, value)) + tail


def write_mutation(change: HeaderChange) -> bytes:
    """A `HeaderMutation`: names to remove, and every line of the names to set."""
    written = b""
    for name, values in change.replace:
        tail = SAYS_SET
        for value in values:
            written += field(SET_HEADERS, write_option(name, RAW_VALUE, value, tail))
            tail = SAYS_ADDED
    for name in change.remove:
        written += field(REMOVE_HEADERS, name.encode())
    return written
