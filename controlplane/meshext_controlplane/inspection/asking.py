"""What the Python filters of a workload say of one request: those that stand in its way, in their order.

Each is asked in a process of its own, in the configuration that its document gives it. Where a service runs
it for all, that one decides, and may run another version: then that is said, too. One that looks at bodies is
asked where a body is told; one that can not run lets nothing in.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from meshext.http.headers import Headers
from meshext.lifeline import guarded
from meshext.policy.asked import NOT_ASKED, REFUSES, Asked, FilterAnswer
from meshext.policy.facts import Facts
from meshext_controlplane.inspection.view import View
from meshext_controlplane.model.filter_source import FilterSource
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.translate.filter_policy import PLACES, select_filters
from meshext_controlplane.translate.http_filters import ORDER
from meshext_controlplane.translate.offers import find_offers

PATIENCE = 30.0
"""Seconds for all filters of a workload to load and answer."""

_RANKS = {place.name: rank for rank, place in enumerate(ORDER)}
_TOKENS, _POLICIES = _RANKS["jwt"], _RANKS["rbac-audit"]
_OWN = ("method", "target", "host", "scheme", "principal", "peer_address", "client_address")
_MORE = ("destination_address", "destination_port", "sni", "claims", "metadata")
_CHANGED = ("method", "target", "host", "metadata")

Data = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A filter in a request's way: `rank` is its place; `known` is an answer that needs no asking.

    `note` is said beside what it answers.
    """

    named: str
    source: FilterSource = field(repr=False)
    mode: str
    rank: int
    known: Data | None = None
    note: str = ""

    def to_question(self) -> Data:
        """What `trying` is told."""
        config = "" if self.source.config is None else json.dumps(self.source.config)
        return {
            "filter": self.source.filter,
            "config": config,
            "mode": self.mode,
            "after_tokens": self.rank > _TOKENS,
            "known": self.known,
            "note": self.note,
        }


def ask_filters(
    view: View, workload: Workload, facts: Facts, providers: Sequence[str], body: bytes | None = None
) -> Asked:
    """Ask those of a workload; `providers` are the ones that CUSTOM policies name for this request."""
    standing = sorted(find_standing(view, workload, providers), key=lambda each: each.rank)
    answers = _ask([each.to_question() for each in standing], to_data(facts, body)) if standing else []
    told = []
    for each, answer in zip(standing, answers, strict=True):
        before = each.rank < _POLICIES
        told.append(
            FilterAnswer(
                named=each.named,
                filter=each.source.filter,
                outcome=answer["outcome"],
                status=answer.get("status"),
                why=answer["why"],
                before=before,
            )
        )
        if before and "request" in answer:
            facts = to_facts(facts, answer["request"])
    return Asked(tuple(told), facts)


def find_standing(view: View, workload: Workload, providers: Sequence[str]) -> Iterator[Standing]:
    """The filters on the way in, and what is known of those that can not be asked."""
    serves = find_offers(view.mesh).serves
    named: list[tuple[str, FilterSource, str, str]] = [
        (f"provider {provider.name}", provider.meshext_filter, "custom", "authz")
        for provider in map(view.mesh.config.provider, providers)
        if provider is not None and provider.meshext_filter is not None
    ]
    named += [
        (
            f"FilterPolicy {policy.metadata.namespace}/{policy.metadata.name}",
            policy.spec,
            PLACES[policy.spec.phase],
            view.modes.get(policy.key, ""),
        )
        for policy in select_filters(view.mesh, workload, "inbound")
    ]
    for name, source, place, mode in named:
        known: Data | None = None
        note = ""
        if not mode:
            known = {"outcome": REFUSES, "why": "it does not load, so everything is refused"}
        elif source.service is not None:
            host, port = source.service.host.rpartition("/")[2], source.service.port
            if serves(host, port, workload.namespace):
                note = f"asked here as it is written; the service {host}:{port} decides"
            else:
                known = {"outcome": REFUSES, "why": f"there is no service {host}:{port}: all is refused"}
        yield Standing(named=name, source=source, mode=mode, rank=_RANKS[place], known=known, note=note)


def to_data(facts: Facts, body: bytes | None = None) -> Data:
    """A request as plain data."""
    data = {name: getattr(facts, name) for name in (*_OWN, *_MORE)}
    told = None if body is None else base64.b64encode(body).decode()
    return {**data, "headers": [list(line) for line in facts.headers.items()], "body": told}


def to_facts(facts: Facts, data: Data) -> Facts:
    """The same request as filters have left it."""
    headers = Headers()
    for name, value in data["headers"]:
        headers.add(name, value)
    return replace(
        facts,
        headers=headers,
        **{name: data[name] for name in _CHANGED},
        _path=None,
        _folded_host=None,
        _addresses=None,
    )


def _ask(filters: list[Data], request: Data) -> list[Data]:
    command = guarded([sys.executable, "-m", "meshext_controlplane.inspection.trying"])
    question = json.dumps({"filters": filters, "request": request}).encode()
    try:
        done = subprocess.run(
            command, input=question, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PATIENCE
        )
        output = done.stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
    found: list[Data] = [json.loads(line) for line in output.split(b"\n")[:-1]]
    ended = f"it ends the process that asks it, or takes more than {PATIENCE:g} s"
    reasons = [ended, *["the filter before it gave no answer"] * len(filters)]
    missing = len(filters) - len(found)
    return [*found, *({"outcome": NOT_ASKED, "why": why} for why in reasons[:missing])]
