"""Filters loaded once, through which recorded exchanges go one after another as they did in the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meshext.engine.carrier import AUTHZ, PROC
from meshext.engine.engine import Engine
from meshext.engine.observer import outcome_of
from meshext.errors import MeshextError, ProtocolError
from meshext.loading import load_configured
from meshext.plan import Mode, Plan, build_plan
from meshext.recording.exchange import Decision, Recorded
from meshext.recording.redaction import READS, REQUEST_ID
from meshext.recording.tape import Tape
from meshext.replay.drive import Drive
from meshext.replay.gaps import find_gaps
from meshext.testing.harness import Harness
from meshext.testing.patience import WATCH
from meshext.testing.records import keep_records

FROM_HEADERS = {
    "request.referer": "referer",
    "request.useragent": "user-agent",
    "request.id": REQUEST_ID,
}
"""Attributes that are a header's value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What became of one exchange; `decision` is None where it could not be replayed.

    `missing` is what the filters want and the recording does not hold; `response` says whether a response
    was replayed, or none was wanted. `reads` are the redacted headers that filters read, with the filter.
    """

    decision: Decision | None
    missing: tuple[str, ...]
    response: bool
    reads: frozenset[tuple[str, str]]


class Player:
    """A chain in a harness: its clock stands at each exchange's time, its store is in memory.

    Raises what `meshext check` would refuse. `now` is the time of the first exchange, in seconds since 1970.
    """

    def __init__(self, specs: Sequence[str], configs: Sequence[str], *, now: float) -> None:
        configured = load_configured(specs, configs)
        self._now = now
        self._harness = Harness([cls for cls, _ in configured], [config for _, config in configured], now=now)
        self._plans: dict[Mode, Plan] = {}

    def play(self, recorded: Recorded) -> Played:
        """Send one exchange through the filters; they come in the order of their times."""
        self._harness.advance(max(0.0, recorded.time - self._now))
        self._now = max(self._now, recorded.time)
        plan = self._plan(recorded.mode)
        gaps = tuple(find_gaps(self._harness.chain.needs, plan, recorded))
        if gaps:
            return Played(decision=None, missing=gaps, response=False, reads=frozenset())
        reads = set(self._declared_reads(recorded))
        token = READS.set(reads)
        kept: list[Recorded] = []
        try:
            drive = self._harness.run(self._run(plan, recorded, kept))
        finally:
            READS.reset(token)
        return Played(
            decision=kept[0].decision if drive.request_known else None,
            missing=(drive.missing,) if drive.missing else (),
            response=not drive.missing,
            reads=frozenset(reads),
        )

    async def _run(self, plan: Plan, recorded: Recorded, kept: list[Recorded]) -> Drive:
        """Fill `kept` with what became of it."""
        chain = self._harness.chain
        engine = Engine(
            chain,
            watch=WATCH,
            carrier=AUTHZ if plan.mode == "authz" else PROC,
            clock=lambda: recorded.time,
            sighting=(tape := Tape(recorded.served.unredacted(), plan, kept.append)),
        )
        drive = Drive(engine, chain, plan, recorded)
        abnormal = None
        with WATCH.kept(), keep_records():
            try:
                await drive.run()
            except ProtocolError as error:  # as where a filter changes what has left; the service ends so
                abnormal = outcome_of(error)
                drive.request_known = True
            await engine.complete()
        tape.end(engine.outcome(abnormal))
        return drive

    def _plan(self, mode: Mode) -> Plan:
        """What Envoy would be asked for in the mode of the recording, or in ext_proc if that has to be."""
        if mode not in self._plans:
            needs = self._harness.chain.needs
            try:
                self._plans[mode] = build_plan(needs, mode)
            except MeshextError:
                self._plans[mode] = build_plan(needs, "proc")
        return self._plans[mode]

    def _declared_reads(self, recorded: Recorded) -> list[tuple[str, str]]:
        return [
            (needs.name, FROM_HEADERS[name])
            for needs in self._harness.chain.needs
            for name in needs.attributes
            if FROM_HEADERS.get(name) in recorded.served.redacted
        ]
