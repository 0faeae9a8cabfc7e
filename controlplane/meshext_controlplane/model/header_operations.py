"""Header fields that routes set, add and remove."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import Model

_NAME = re.compile(r":?[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")  # a token (RFC 9110), or a pseudo header
HOST_NAMES = (":authority", "host")
"""Names that stand for the host of a request."""

_OPERATORS = (
    "CONNECTION_ID DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT "
    "DOWNSTREAM_LOCAL_ADDRESS DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_PORT "
    "DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT DOWNSTREAM_PEER_FINGERPRINT_256 "
    "DOWNSTREAM_PEER_ISSUER DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_URI_SAN "
    "DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_REMOTE_PORT "
    "DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_VERSION HOSTNAME PROTOCOL REQUESTED_SERVER_NAME "
    "RESPONSE_CODE RESPONSE_CODE_DETAILS RESPONSE_FLAGS ROUTE_NAME START_TIME STREAM_ID "
    "UPSTREAM_CLUSTER UPSTREAM_HOST UPSTREAM_LOCAL_ADDRESS UPSTREAM_REMOTE_ADDRESS "
    "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT UPSTREAM_REQUEST_ATTEMPT_COUNT VIRTUAL_CLUSTER_NAME"
).split()
_OPERATOR = re.compile(
    rf"%(?:{'|'.join(_OPERATORS)}|(?:REQ|RESP)\([A-Za-z0-9:_-]+(?:\?[A-Za-z0-9:_-]+)?\)(?::[1-9][0-9]{{0,4}})?)%"
)
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]{0,16384}")


def check_header_name(name: str) -> str:
    """The name; ValueError if no header can have it."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name[:60]!r} is no name of a header; write letters, digits and `-`")
    return name


def check_header_value(value: str) -> str:
    """The value; ValueError where it would end the line or the message."""
    if not _VALUE.fullmatch(value):
        raise ValueError(f"{value[:60]!r} can not be sent in a header; write it without control characters")
    return value


def check_template(value: str) -> str:
    """The value, if Envoy can fill its operators in; ValueError names one that it can not."""
    check_header_value(value)
    rest = value.replace("%%", "")
    for piece in _OPERATOR.sub("", rest).split("%")[1:]:
        raise ValueError(f"%{piece[:40]}: Envoy knows no such operator here; for a percent sign write %%")
    return value


def _is_own(name: str) -> bool:
    return name.startswith(":") or name.lower() == "host"


HeaderName = Annotated[str, AfterValidator(check_header_name)]
HeaderValue = Annotated[str, AfterValidator(check_header_value)]
HeaderTemplate = Annotated[str, AfterValidator(check_template)]


class HeaderOperations(Model):
    """Values may hold Envoy's command operators, such as `%DOWNSTREAM_REMOTE_ADDRESS%`; `%%` is a `%`."""

    set: dict[HeaderName, HeaderTemplate] = Field(default={})
    add: dict[HeaderName, HeaderTemplate] = Field(default={})
    remove: tuple[HeaderName, ...] = ()

    @model_validator(mode="after")
    def _no_pseudo_headers(self) -> Self:
        for name in (*self.add, *self.remove, *(name for name in self.set if name.lower() not in HOST_NAMES)):
            if _is_own(name):
                raise ValueError(f"{name}: of the request line only Host may be changed, by `set`")
        return self


class Headers(Model):
    """Of requests, and of responses."""

    request: HeaderOperations | None = None
    response: HeaderOperations | None = None

    @model_validator(mode="after")
    def _responses_have_no_host(self) -> Self:
        for name in self.response.set if self.response else ():
            if _is_own(name):
                raise ValueError(f"response: {name} is of requests only; remove it")
        return self
