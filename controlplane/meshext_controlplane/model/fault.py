"""Faults that a VirtualService puts into calls, to see what callers make of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import Model
from meshext_controlplane.model.values import Duration

GRPC_CODES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "
    "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE "
    "DATA_LOSS UNAUTHENTICATED"
).split()
"""Names of gRPC's codes, each at the place of its number."""


class Percent(Model):
    """A share, 0 to 100, as fine as a ten-thousandth; 0 where nothing is said."""

    value: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0


def _check_code(code: str) -> str:
    if code not in GRPC_CODES and not (re.fullmatch(r"\d{1,2}", code) and int(code) < len(GRPC_CODES)):
        raise ValueError(f"{code[:40]!r} is no code of gRPC; write for example UNAVAILABLE")
    return code


class Delay(Model):
    """A wait before the request goes on."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"percent": "write percentage: {value: ...}", "exponentialDelay": "write fixedDelay"}
    )

    fixed_delay: Duration
    percentage: Percent | None = None

    @model_validator(mode="after")
    def _is_some_time(self) -> Self:
        if self.fixed_delay.total_seconds() < 0.001:
            raise ValueError("fixedDelay: at least 1ms")
        return self


class Abort(Model):
    """An answer in the upstream's place."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"percent": "write percentage: {value: ...}", "http2Error": "write httpStatus"}
    )

    http_status: Annotated[int, Field(ge=200, le=599)] | None = None
    grpc_status: Annotated[str, AfterValidator(_check_code)] | None = None
    percentage: Percent | None = None

    @model_validator(mode="after")
    def _one_status(self) -> Self:
        if (self.http_status is None) == (self.grpc_status is None):
            raise ValueError("exactly one of httpStatus and grpcStatus")
        return self


class Fault(Model):
    """`fault`: without a percentage it strikes no request."""

    delay: Delay | None = None
    abort: Abort | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if self.delay is None and self.abort is None:
            raise ValueError("a fault is a delay, an abort, or both; write one")
        return self
