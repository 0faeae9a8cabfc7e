"""Filters asked about one request, one after the other, in a process of their own (`asking` starts it).

A filter is anybody's code: it may print, hang, or end the process that runs it.

    python -m meshext_controlplane.inspection.trying < question > answers
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from meshext.config import Document
from meshext.engine.chain import configured_needs
from meshext.errors import MeshextError
from meshext.http.context import AttributeValue
from meshext.http.peer import Peer
from meshext.loading import build_config
from meshext.mentions import mentions
from meshext.plan import build_plan
from meshext.plugins import load_filter
from meshext.policy.asked import NOT_ASKED, NOT_REACHED, PASSES, REFUSES
from meshext.testing import Harness
from meshext.testing.outcome import Outcome
from meshext_controlplane.sources.own_output import own_output

CLAIMS = "envoy.filters.http.jwt_authn"
LONGEST = 200  # bytes of an answer that are shown

Data = dict[str, Any]


def try_all(filters: list[Data], request: Data) -> Iterator[Data]:
    """An answer for each filter: outcome, why, status, and the request as it leaves the filter."""
    refused = False
    for each in filters:
        not_reached: Data = {"outcome": NOT_REACHED, "why": ""}
        answer = not_reached if refused else each["known"] or try_safely(each, request)
        request = answer.get("request", request)
        refused = refused or answer["outcome"] == REFUSES
        yield answer


def try_safely(wanted: Data, request: Data) -> Data:
    """What one filter does, or why it can not be asked."""
    try:
        return try_one(wanted, request)
    except MeshextError as error:
        return {"outcome": NOT_ASKED, "why": str(error)}
    except Exception as error:
        return {"outcome": NOT_ASKED, "why": f"it does not load here: {type(error).__name__}: {error}"}


def try_one(wanted: Data, request: Data) -> Data:
    """What one filter does with the request; MeshextError where it does not load."""
    cls = load_filter(wanted["filter"])
    config = build_config(cls, Document(wanted["config"], "spec.config") if wanted["config"] else None)
    plan = build_plan([configured_needs(cls, config)], wanted["mode"])
    if plan.request_body and request["body"] is None:
        return {"outcome": NOT_ASKED, "why": "it looks at the request's body; tell it with --body"}
    attributes = to_attributes(request)
    missing = [
        name
        for name in plan.attributes
        if name not in attributes and not name.startswith(("request.", "response."))
    ]
    outcome = Harness(cls, config).request(
        request["method"],
        request["target"],
        host=request["host"],
        scheme=request["scheme"],
        headers=[(name, value) for name, value in request["headers"]],
        peer=Peer(request["principal"], request["peer_address"], tls=request["principal"] is not None),
        body=base64.b64decode(request["body"] or ""),
        client_address=request["client_address"],
        attributes={name: value for name, value in attributes.items() if name in plan.attributes},
        metadata=find_metadata(request, after_tokens=wanted["after_tokens"]),
    )
    notes = [*filter(None, [wanted["note"]]), *(f"{name} is not told" for name in missing)]
    if mentions(cls, "store"):
        notes.append("its store is empty here")
    return tell_outcome(outcome, request, notes)


def tell_outcome(outcome: Outcome, request: Data, notes: list[str]) -> Data:
    """The answer for what came out of a filter."""
    failed = [str(failure) for failure in outcome.failures]
    if outcome.upstream is None:
        said = outcome.details or outcome.body[:LONGEST].decode("utf-8", "replace").partition("\n")[0]
        why = "; ".join(filter(None, [said, *failed, *notes]))
        return {"outcome": REFUSES, "status": outcome.status, "why": why}
    left = outcome.upstream
    metadata = {**request["metadata"], **outcome.metadata}
    after = {
        "method": left.method,
        "target": left.target,
        "host": left.host,
        "headers": [list(line) for line in left.headers.items()],
        "metadata": metadata,
        "body": base64.b64encode(left.body).decode() if request["body"] is not None else None,
    }
    return {"outcome": PASSES, "why": "; ".join([*failed, *notes]), "request": {**request, **after}}


def to_attributes(request: Data) -> dict[str, AttributeValue]:
    """What the request tells of Envoy's attributes beside its own lines."""
    told: Mapping[str, AttributeValue] = {
        "source.address": request["client_address"],
        "destination.address": request["destination_address"],
        "destination.port": request["destination_port"],
        "connection.requested_server_name": request["sni"],
        "connection.mtls": request["principal"] is not None,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def find_metadata(request: Data, *, after_tokens: bool) -> dict[str, Any]:
    """Envoy's metadata; the claims are there from where tokens have been read."""
    metadata: dict[str, Any] = dict(request["metadata"])
    if after_tokens and request["claims"]:
        metadata[CLAIMS] = {"payload": request["claims"], **metadata.get(CLAIMS, {})}
    return metadata


def main() -> None:
    """Answer the question on standard input, a line for each filter, as it is ready."""
    question = json.load(sys.stdin)
    with own_output() as output:
        for answer in try_all(question["filters"], question["request"]):
            output.write(json.dumps(answer) + "\n")
            output.flush()


if __name__ == "__main__":
    main()
