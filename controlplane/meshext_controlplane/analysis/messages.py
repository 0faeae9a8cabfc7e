"""What an analyzer says, and the table of its codes. A code is never given another meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from meshext.config.places import Path

Key = tuple[str, str, str]


class Severity(IntEnum):
    """How much it matters: an error does not work, a warning seldom means what is written."""

    INFO = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class Code:
    """One thing that analyzers find."""

    severity: Severity
    title: str


INFO, WARNING, ERROR = Severity.INFO, Severity.WARNING, Severity.ERROR

CODES: Mapping[str, Code] = MappingProxyType(
    {
        "MX001": Code(ERROR, "a text or document is refused"),
        "MX101": Code(WARNING, "a host without its ports: a port in Host stays"),
        "MX102": Code(WARNING, "HTTP fields in a rule for a TCP port: it denies more than is written"),
        "MX103": Code(WARNING, "a RequestAuthentication without a rule that asks for a token"),
        "MX104": Code(WARNING, "a path pattern in a DENY that lets the bare path by"),
        "MX105": Code(INFO, "a path prefix that also matches longer words"),
        "MX106": Code(ERROR, "CUSTOM names a provider that can not be asked: what it matches is denied"),
        "MX107": Code(INFO, "names of CUSTOM providers that begin alike: Istio mixes them up"),
        "MX108": Code(INFO, "several CUSTOM providers for one workload: Istio denies there"),
        "MX109": Code(WARNING, "several PeerAuthentications in one scope: only the first counts"),
        "MX110": Code(WARNING, "portLevelMtls with the port of a Service: it takes the workload's"),
        "MX111": Code(INFO, "a selector that no Service or workload of the documents has"),
        "MX112": Code(WARNING, "a value that matches nothing, or something else than it seems to"),
        "MX113": Code(WARNING, "a rule about identities for workloads that take plain text"),
        "MX114": Code(INFO, "a policy in dry run: it decides nothing"),
        "MX115": Code(WARNING, "paths are decided about that are not made plain first"),
        "MX116": Code(WARNING, "a key set that is fetched over plain http"),
        "MX117": Code(ERROR, "a FilterPolicy whose service is not in the mesh: it lets nothing in"),
        "MX118": Code(WARNING, "a provider whose service is not in the mesh: nothing is sent there"),
        "MX119": Code(WARNING, "several Telemetries in one scope: only the first counts"),
        "MX120": Code(WARNING, "CUSTOM asks by HTTP alone, for a TCP port: what it matches there is denied"),
        "MX121": Code(WARNING, "a FilterPolicy for a port that is not HTTP: the filter is not asked there"),
        "MX201": Code(WARNING, "a port that does not say what it speaks: TCP is assumed"),
        "MX301": Code(WARNING, "a VirtualService for a host that nobody has"),
        "MX302": Code(ERROR, "a destination that nobody has: its share of requests fails"),
        "MX303": Code(ERROR, "a destination port that the service does not have"),
        "MX304": Code(WARNING, "a route that an earlier one keeps every request from"),
        "MX305": Code(INFO, "weights that do not make 100"),
        "MX306": Code(WARNING, "a fault without a percentage: it strikes nobody"),
        "MX307": Code(WARNING, "several VirtualServices for one host: only the first counts"),
        "MX308": Code(WARNING, "a DestinationRule for a host that nobody has"),
        "MX310": Code(WARNING, "failover between localities without outlierDetection"),
        "MX311": Code(INFO, "a uri prefix that also matches longer words"),
        "MX313": Code(WARNING, "several DestinationRules for one host: only the first policy counts"),
        "MX315": Code(WARNING, "a VirtualService without hosts that nobody delegates to: it does nothing"),
        "MX316": Code(WARNING, "a rule of a delegate that its root lets nothing through to"),
        "MX314": Code(WARNING, "HTTP routes for a host without an HTTP port"),
        "MX401": Code(ERROR, "a server whose certificates are not there: its hosts are not served"),
        "MX402": Code(WARNING, "a VirtualService for a Gateway that nobody has"),
        "MX403": Code(WARNING, "a VirtualService for a Gateway that has none of its hosts"),
        "MX404": Code(WARNING, "a server that no VirtualService is for: nobody is answered there"),
        "MX405": Code(WARNING, "a server, or a host of it, that an earlier one of the same port keeps out"),
        "MX406": Code(WARNING, "a match for a gateway that its VirtualService is not for"),
        "MX407": Code(WARNING, "several Sidecars in one scope: only the first counts"),
        "MX408": Code(WARNING, "a Gateway that no gateway workload has the labels for"),
        "MX409": Code(ERROR, "connections at a gateway to a host that only a request could name: they fail"),
    }
)
"""Every code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One finding about one object; `path` leads to it in the document."""

    code: str
    key: Key
    text: str
    hint: str
    path: Path = ()

    @property
    def severity(self) -> Severity:
        """That of its code."""
        return CODES[self.code].severity
