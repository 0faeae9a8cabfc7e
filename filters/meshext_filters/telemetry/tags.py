"""Tags: what a configuration takes out of a request or response, and where it puts it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Literal

from meshext.attributes import ATTRIBUTES
from meshext_filters.header_names import TOKEN
from meshext_filters.telemetry.redaction import Redactor

Target = Literal["metrics", "spans", "log"]
PeerPart = Literal["principal", "trust_domain", "namespace", "service_account", "address"]

NAME = re.compile("[a-z][a-z0-9_]*([.-][a-z0-9_]+)*")
LONGEST_NAME = 100  # characters
MOST_VALUES = 500
SOURCES = ("header", "response_header", "query", "attribute", "claim", "peer")


@dataclass(frozen=True, kw_only=True)
class Tag:
    """One value of each request, under a name of your choice."""

    name: str
    """The key of the span attribute and of the metadata, such as `enduser.tenant`; the metric label has `_`
    for each `.` and `-`."""

    header: str | None = None
    """From a header of the request; several lines are joined by commas."""

    response_header: str | None = None
    """From a header of the response; needs ext_proc."""

    query: str | None = None
    """From a parameter of the query, decoded; the first one of that name."""

    attribute: str | None = None
    """From one of Envoy's attributes, such as `source.port` or `response.flags`; those of the response need
    ext_proc."""

    claim: str | None = None
    """From a claim of the JWT that Envoy's `jwt_authn` has verified, dots for claims in claims:
    `realm.tenant`. Text, numbers, true and false, and lists of these; anything else is no value."""

    provider: str | None = None
    """The provider of `jwt_authn` whose claim it is; by default the first one that has it."""

    peer: PeerPart | None = None
    """From the peer: the `principal` that its certificate proves; its `trust_domain`, or, where it is of
    Istio's form, its `namespace` and `service_account`; or the `address` of the connection."""

    to: tuple[Target, ...] = ("spans", "log")
    """Where it goes: labels of `metrics`, attributes of `spans`, metadata for the access `log`."""

    values: tuple[str, ...] = ()
    """The values that a metric may show; every other is `other`. By default the first `max_values` that
    come."""

    max_values: int = 100
    """How many values the metric label may have, in a worker and in the total over workers, 1 to 500; every
    further one is `other`."""

    plain: bool = False
    """Take it although its name sounds like a secret's. What looks like a secret is redacted all the same."""

    def __post_init__(self) -> None:
        self._check_name()
        self._check_source()
        self._check_secret()
        self._check_metrics()

    def _check_name(self) -> None:
        if not NAME.fullmatch(self.name) or len(self.name) > LONGEST_NAME:
            raise ValueError(
                f"name: {self.name!r:.100} is no name; write lower case words with dots, such as "
                f"'enduser.tenant'"
            )
        if not self.to:
            raise ValueError("to: is empty, so the tag goes nowhere; write for example [spans, log]")
        if len(set(self.to)) != len(self.to):
            raise ValueError(f"to: names one twice, got {list(self.to)}; write each once")

    def _check_source(self) -> None:
        given = [source for source in SOURCES if getattr(self, source) is not None]
        if len(given) != 1:
            found = f"has {' and '.join(given)}" if given else "has no source"
            raise ValueError(f"{found}; write exactly one of {', '.join(SOURCES)}")
        for key, name in (("header", self.header), ("response_header", self.response_header)):
            if name is not None and not TOKEN.fullmatch(name):
                raise ValueError(f"{key}: {name!r:.100} is no header's name; write one such as 'x-tenant'")
        if self.query == "":
            raise ValueError("query: is empty; write the name of a parameter, such as 'page'")
        if self.claim is not None and "" in self.claim.split("."):
            raise ValueError(
                f"claim: {self.claim!r:.100} has an empty part; write such as 'sub' or 'realm.tenant'"
            )
        if self.provider is not None and self.claim is None:
            raise ValueError(f"provider: {self.provider!r:.100} is for claims; add claim, or leave it out")
        if self.attribute is not None and self.attribute not in ATTRIBUTES:
            raise ValueError(
                f"attribute: {self.attribute!r:.100} is not an attribute; {advice(self.attribute)}"
            )

    def _check_secret(self) -> None:
        for key in ("header", "response_header", "query", "claim"):
            name = getattr(self, key)
            if name is not None and not self.plain and Redactor().is_secret(name):
                raise ValueError(
                    f"{key}: {name!r:.100} sounds like a secret, which would show in traces and logs;"
                    " write another one, or plain: true if it is none"
                )

    def _check_metrics(self) -> None:
        if not 1 <= self.max_values <= MOST_VALUES:
            raise ValueError(f"max_values: {self.max_values} is out of range; write 1 to {MOST_VALUES}")
        if len(self.values) > MOST_VALUES:
            raise ValueError(f"values: {len(self.values)} are too many; write {MOST_VALUES} at most")
        if self.values and "metrics" not in self.to:
            raise ValueError("values: are for metrics, where this tag does not go; add metrics to `to`")
        if len(set(self.values)) != len(self.values) or "" in self.values:
            raise ValueError(
                f"values: has one twice or an empty one, got {list(self.values)!r:.200}; write each once"
            )

    @property
    def label(self) -> str:
        """The metric label."""
        return self.name.replace(".", "_").replace("-", "_")


def advice(attribute: str) -> str:
    """What to write for an attribute that is none."""
    direction, _, rest = attribute.partition(".")
    if rest.startswith("headers"):
        return f"write {'response_header' if direction == 'response' else 'header'}: and the header's name"
    near = difflib.get_close_matches(attribute, ATTRIBUTES, n=1)
    return f"did you mean {near[0]!r}?" if near else "write one of Envoy's, such as 'source.port'"
