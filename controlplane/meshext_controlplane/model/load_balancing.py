"""`loadBalancer` of a DestinationRule: which endpoint the next request goes to."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from meshext_controlplane.model.base import Model
from meshext_controlplane.model.values import Duration

LARGEST_TABLE = 5_000_011
"""The largest table of Maglev that Envoy takes."""


class HttpCookie(Model):
    """A cookie that is hashed; with `ttl` Envoy sets it where it is missing (0s: for the session)."""

    name: Annotated[str, Field(min_length=1)]
    path: str = ""
    ttl: Duration | None = None


class RingHash(Model):
    """A ring of at least this many places."""

    minimum_ring_size: Annotated[int, Field(ge=1, le=8 * 2**20)] = 1024


class Maglev(Model):
    """A table; its size is a prime number."""

    table_size: Annotated[int, Field(ge=1, le=LARGEST_TABLE)] = 65537

    @model_validator(mode="after")
    def _is_prime(self) -> Self:
        size = self.table_size
        if size < 2 or any(size % each == 0 for each in range(2, int(size**0.5) + 1)):
            raise ValueError(f"tableSize: {size} is no prime number; write for example 65537")
        return self


class ConsistentHash(Model):
    """What is hashed, and how hashes lead to endpoints (ring by default)."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"minimumRingSize": "write ringHash: {minimumRingSize: ...}"}
    )

    http_header_name: str = ""
    http_cookie: HttpCookie | None = None
    use_source_ip: bool = False
    http_query_parameter_name: str = ""
    ring_hash: RingHash | None = None
    maglev: Maglev | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        keys = (self.http_header_name, self.http_cookie, self.use_source_ip, self.http_query_parameter_name)
        if sum(map(bool, keys)) != 1:
            raise ValueError(
                "write exactly one of httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName"
            )
        if self.ring_hash and self.maglev:
            raise ValueError("ringHash and maglev: write one of them")
        return self


class Distribute(Model):
    """Where the traffic of one locality goes, in percent."""

    from_: Annotated[str, Field(alias="from", min_length=1)]
    to: Annotated[dict[str, Annotated[int, Field(ge=1, le=100)]], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_all(self) -> Self:
        if sum(self.to.values()) != 100:
            raise ValueError(f"to: {sum(self.to.values())} percent in all; the weights have to make 100")
        return self


class Failover(Model):
    """Where traffic of a region goes when its own endpoints are not enough."""

    from_: Annotated[str, Field(alias="from", min_length=1)]
    to: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _regions(self) -> Self:
        if "/" in self.from_ or "/" in self.to or self.from_ == self.to:
            raise ValueError("failover is between two regions; write their names, without zones")
        return self


class LocalityLb(Model):
    """`localityLbSetting`. Without `distribute` the nearest localities come first."""

    enabled: bool = True
    distribute: tuple[Distribute, ...] = ()
    failover: tuple[Failover, ...] = ()
    failover_priority: tuple[Annotated[str, Field(min_length=1)], ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.distribute and (self.failover or self.failover_priority):
            raise ValueError("distribute goes without failover and failoverPriority; write one of them")
        return self


class Warmup(Model):
    """Endpoints that are new get less at first."""

    duration: Duration
    minimum_percent: Annotated[int, Field(ge=0, le=100)] = 10
    aggression: Annotated[float, Field(ge=1.0, le=1000.0)] = 1.0


class LoadBalancer(Model):
    """`simple` or `consistent_hash`; LEAST_REQUEST where nothing is said."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"warmupDurationSecs": "write warmup", "zoneAwareLb": ""}
    )

    simple: Literal["UNSPECIFIED", "LEAST_REQUEST", "ROUND_ROBIN", "RANDOM"] | None = None
    consistent_hash: ConsistentHash | None = None
    locality_lb_setting: LocalityLb | None = None
    warmup: Warmup | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.simple and self.consistent_hash:
            raise ValueError("simple and consistentHash: write one of them")
        if self.warmup and (self.consistent_hash or self.simple == "RANDOM"):
            raise ValueError("warmup goes with LEAST_REQUEST and ROUND_ROBIN")
        return self
