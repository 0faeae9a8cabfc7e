"""`DestinationRule`: how clients treat a host's endpoints (Istio's, v1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import MeshDocument, Model
from meshext_controlplane.model.exporting import ExportTo
from meshext_controlplane.model.selector import Selector
from meshext_controlplane.model.traffic_policy import PortPolicy, TrafficPolicy
from meshext_controlplane.model.values import check_host

SubsetName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]([-A-Za-z0-9._]*)$")]


class PortSettings(PortPolicy):
    """What holds for one port of the service, instead of everything above it."""

    class Number(Model):
        """A port of the service."""

        number: Annotated[int, Field(ge=1, le=65535)]

    port: Number


class RulePolicy(TrafficPolicy):
    """What holds for a host or a subset; a port's settings replace its four blocks as a whole."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType({"tunnel": ""})

    port_level_settings: Annotated[tuple[PortSettings, ...], Field(max_length=4096)] = ()

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        numbers = [each.port.number for each in self.port_level_settings]
        if len(set(numbers)) < len(numbers):
            raise ValueError("portLevelSettings: two are for the same port; give each port once")
        return self


class Subset(Model):
    """Endpoints with these labels, under a name that routes use."""

    name: SubsetName
    labels: dict[str, str] = Field(default={})
    traffic_policy: RulePolicy | None = None


class DestinationRuleSpec(Model):
    """The fields. With `workload_selector` it is for those clients of its own namespace alone."""

    host: Annotated[str, AfterValidator(check_host)]
    workload_selector: Selector | None = None
    traffic_policy: RulePolicy | None = None
    subsets: tuple[Subset, ...] = ()
    export_to: ExportTo = ()

    @model_validator(mode="after")
    def _subsets_differ(self) -> Self:
        names = [subset.name for subset in self.subsets]
        if len(set(names)) < len(names):
            raise ValueError("subsets: two have the same name; give each name once")
        return self


class DestinationRule(MeshDocument):
    """The document."""

    KIND: ClassVar[str] = "DestinationRule"
    VERSIONS: ClassVar[tuple[str, ...]] = (
        "networking.istio.io/v1",
        "networking.istio.io/v1beta1",
        "networking.istio.io/v1alpha3",
    )

    spec: DestinationRuleSpec
