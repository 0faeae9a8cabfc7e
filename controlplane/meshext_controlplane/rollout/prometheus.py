"""What versions did, as Prometheus knows it from the Envoys that called them.

Its HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import http.client
import json
import math
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from meshext_controlplane.model.hosts import name_stats
from meshext_controlplane.rollout.errors import RolloutError, SightError
from meshext_controlplane.rollout.judging import Reading, Readings
from meshext_controlplane.rollout.shifting import Versions

LARGEST = 1 << 20  # bytes of an answer
PATIENCE = 10.0  # seconds
SHORTEST = 5  # seconds of the past that are asked for

_COUNTED = 'envoy_cluster_upstream_rq_xx{{envoy_cluster_name=~"{cluster}"'
_TIMED = 'envoy_cluster_upstream_rq_time_bucket{{envoy_cluster_name=~"{cluster}"}}'
QUERIES: Mapping[str, str] = MappingProxyType(
    {
        "requests": f"sum(increase({_COUNTED}}}}}[{{window}}]))",
        "errors": f'sum(increase({_COUNTED},envoy_response_code_class="5"}}}}[{{window}}]))',
        "latency": f"histogram_quantile({{quantile}}, sum by (le) (rate({_TIMED}[{{window}}]))) / 1000",
    }
)
"""Templates: of Envoy's own statistics, which count at the caller and know of refused connections too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """Where to ask, and what. `queries` replaces ours by name: requests, errors, latency (seconds)."""

    url: str
    quantile: float = 0.95
    queries: Mapping[str, str] = field(default_factory=dict)
    ca: Path | None = None

    def read(self, versions: Versions, seconds: float) -> Readings:
        """What both versions did in the last so many seconds; SightError where nobody can say."""
        stable, canary = (
            self._read(versions, subset, seconds) for subset in (versions.stable, versions.canary)
        )
        return Readings(stable=stable, canary=canary)

    def _read(self, versions: Versions, subset: str, seconds: float) -> Reading:
        given = {
            "subset": subset,
            "host": versions.host,
            "cluster": build_pattern(subset, versions.host),
            "window": f"{max(math.ceil(seconds), SHORTEST)}s",
            "quantile": f"{self.quantile:g}",
        }
        found = {
            name: self._ask(fill(name, text, given)) for name, text in {**QUERIES, **self.queries}.items()
        }
        requests = found["requests"] or 0.0
        return Reading(requests=requests, errors=found["errors"] or 0.0, latency=found["latency"])

    def _ask(self, query: str) -> float | None:
        """The one number of a query; None where there is none (nothing counted yet)."""
        given = urllib.parse.urlencode({"query": query})
        url = f"{self.url.rstrip('/')}/api/v1/query?{given}"
        context = ssl.create_default_context(cafile=self.ca) if url.startswith("https:") else None
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE, context=context) as answer:
                body = answer.read(LARGEST + 1)
        except urllib.error.HTTPError as error:
            raise SightError(f"Prometheus refuses {query}: {read_refusal(error)}") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise SightError(f"{self.url} does not answer: {reason}") from None
        if len(body) > LARGEST:
            raise SightError(f"the answer to {query} has more than {LARGEST} bytes; add up to one number")
        return parse_number(body, query)


def build_pattern(subset: str, host: str) -> str:
    """The clusters of a subset, whatever the port, as a regular expression inside of a query's string."""
    parts = (re.escape("outbound|"), "[0-9]+", re.escape(f"|{subset}|{name_stats(host)}"))
    return "".join(parts).replace("\\", "\\\\")


def parse_url(text: str) -> str:
    """An address of Prometheus; RolloutError for what is none."""
    parts = urllib.parse.urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RolloutError(f"--prometheus {text!r} is no address; write http://HOST:PORT")
    return text


def parse_queries(given: list[str]) -> dict[str, str]:
    """`NAME=QUERY` each; RolloutError for a name that no query has, or a template that can not be filled."""
    found: dict[str, str] = {}
    for each in given:
        name, equals, query = each.partition("=")
        if not equals or name not in QUERIES:
            raise RolloutError(f"--query {each!r:.60}: write one of {', '.join(QUERIES)}, = and a query")
        fill(name, query, dict.fromkeys(("subset", "host", "cluster", "window", "quantile"), ""))
        found[name] = query
    return found


def fill(name: str, template: str, given: Mapping[str, str]) -> str:
    """A query from its template; RolloutError says what may stand in one."""
    try:
        return template.format_map(given)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        known = ", ".join(f"{{{each}}}" for each in given)
        raise RolloutError(f"query {name}: {error}; write {known}, and {{{{ for a brace") from None


def parse_number(body: bytes, query: str) -> float | None:
    """The value of an instant vector of one sample, or of a scalar."""
    try:
        data: Any = json.loads(body)["data"]
        result = data["result"]
        if data["resultType"] == "scalar":
            samples = [result]
        else:
            samples = [each["value"] for each in result]
        numbers = [float(value) for _, value in samples]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SightError(f"the answer to {query} is not Prometheus'") from None
    if len(numbers) > 1:
        raise SightError(f"{query} has {len(numbers)} answers; write one that adds up to one number")
    return numbers[0] if numbers and math.isfinite(numbers[0]) else None


def read_refusal(error: urllib.error.HTTPError) -> str:
    """What Prometheus says that is wrong with a query."""
    try:
        told: str = json.loads(error.read(LARGEST))["error"]
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"
    return told
