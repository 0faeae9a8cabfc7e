"""`meshext rollout`: a canary that goes forward by itself, and back at once when its metrics worsen."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State

if TYPE_CHECKING:
    from meshext_controlplane.cli.applied import AppliedRoute
    from meshext_controlplane.cli.rollout_view import View
    from meshext_controlplane.rollout.course import Bounds, Course
    from meshext_controlplane.rollout.pilot import Pilot
    from meshext_controlplane.rollout.prometheus import Prometheus
    from meshext_controlplane.rollout.running import Rollout

ROLLED_BACK = 1

Name = Annotated[str, typer.Argument(metavar="[NAMESPACE/]NAME", help="The VirtualService; it was applied.")]
Canary = Annotated[str, typer.Option(metavar="SUBSET", help="The new version.")]
Stable = Annotated[str, typer.Option(metavar="SUBSET", help="The old one, where there are several.")]
Host = Annotated[str, typer.Option(metavar="HOST", help="Whose, where the routes lead to several hosts.")]
Url = Annotated[str, typer.Option("--prometheus", metavar="URL", envvar="MESHEXT_PROMETHEUS", help="Judges.")]
Steps = Annotated[str, typer.Option(metavar="LIST", help="Weights of the canary in per cent, up to 100.")]
Hold = Annotated[str, typer.Option(metavar="SPAN", help="How long each weight is held at least.")]
Limit = Annotated[str, typer.Option(metavar="SPAN", help="Back, where a weight is not proved by then.")]
Every = Annotated[str, typer.Option(metavar="SPAN", help="Between two looks.")]
Patience = Annotated[str, typer.Option(metavar="SPAN", help="Back, after so long without Prometheus.")]
Errors = Annotated[
    float,
    typer.Option("--max-errors", min=0, max=100, help="Failed requests (5xx) in per cent above stable."),
]
Slower = Annotated[
    float, typer.Option("--max-slower", min=1, help="Latency, as a multiple of the stable one.")
]
Slack = Annotated[float, typer.Option(min=0, metavar="MS", help="And so many milliseconds.")]
Quantile = Annotated[float, typer.Option(min=0.01, max=0.999, help="Which latency: 0.95, 0.99.")]
Least = Annotated[int, typer.Option("--min-requests", min=1, help="Fewer say nothing good.")]
Query = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=QUERY", help="Your own query for requests, errors or latency; repeat it."),
]
Ca = Annotated[Path | None, typer.Option("--ca", metavar="FILE", help="Whose certificates Prometheus shows.")]
Abort = Annotated[bool, typer.Option("--abort", help="End it: everything to the stable version.")]
Promote = Annotated[bool, typer.Option("--promote", help="End it: everything to the canary, unproved.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def rollout(
    name: Name,
    canary: Canary,
    stable: Stable = "",
    host: Host = "",
    prometheus: Url = "",
    steps: Steps = "5,25,50,100",
    hold: Hold = "60s",
    limit: Limit = "30m",
    every: Every = "5s",
    patience: Patience = "60s",
    max_errors: Errors = 1.0,
    max_slower: Slower = 1.5,
    slack: Slack = 5.0,
    quantile: Quantile = 0.95,
    min_requests: Least = 50,
    query: Query = None,
    ca: Ca = None,
    abort: Abort = False,
    promote: Promote = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Give a new version more and more of the requests, as long as it is no worse than the old one.

    At each weight callers' statistics of both are compared. Worse, or unseen: back to 0 at once. Where it is
    stands in the VirtualService; run it again to go on. A --query may have {subset}, {host}, {cluster},
    {window}, {quantile}. Exit code 0 it has everything, 1 it went back, 2 not begun, 130 interrupted.

    Example: meshext rollout shop/reviews --canary v2 --prometheus http://prometheus:9090 --steps 1,10,100
    """
    mesh = build_mesh(state, name, canary=canary, stable=stable, host=host)
    if abort or promote:
        mesh.end(abort=abort, promote=promote)
        return
    bounds = build_bounds(max_errors, max_slower, slack, min_requests)
    course = build_course(steps, bounds, hold=hold, limit=limit, patience=patience)
    source = build_source(prometheus, query or [], quantile=quantile, ca=ca)
    raise typer.Exit(drive(mesh, course, source, every, as_json=as_json))


def build_mesh(state: Path, name: str, **given: str) -> AppliedRoute:
    """Where the VirtualService is, and which versions."""
    from meshext_controlplane.cli.applied import AppliedRoute

    return AppliedRoute(state, name, **given)


def build_bounds(errors: float, slower: float, slack: float, least: int) -> Bounds:
    """From per cent and milliseconds."""
    from meshext_controlplane.rollout.course import Bounds

    return Bounds(errors=errors / 100, slower=slower, slack=slack / 1000, least=least)


def build_course(steps: str, bounds: Bounds, **spans: str) -> Course:
    """The steps and how long each may take; `spans` are options by their names."""
    from meshext_controlplane.cli.spans import parse_span
    from meshext_controlplane.rollout.course import Course, parse_steps

    seconds = {name: parse_span(f"--{name}", text).total_seconds() for name, text in spans.items()}
    return Course(steps=parse_steps(steps), bounds=bounds, **seconds)


def build_source(url: str, queries: list[str], *, quantile: float, ca: Path | None) -> Prometheus:
    """Where metrics are; UsageError where it was not said."""
    from meshext.cli.faults import UsageError
    from meshext_controlplane.rollout.prometheus import Prometheus, parse_queries, parse_url

    if not url:
        raise UsageError("--prometheus is missing: the address of the one that scrapes the sidecars")
    return Prometheus(url=parse_url(url), quantile=quantile, queries=parse_queries(queries), ca=ca)


def drive(mesh: AppliedRoute, course: Course, source: Prometheus, every: str, *, as_json: bool) -> int:
    """Until it has ended; the exit code. Where Prometheus can not be asked, it does not begin."""
    from meshext_controlplane.cli.rollout_view import View
    from meshext_controlplane.cli.spans import parse_span
    from meshext_controlplane.rollout.running import Rollout

    pause = parse_span("--every", every).total_seconds()
    source.read(mesh.read().versions, course.hold)
    rollout = Rollout(mesh=mesh, look=source.read, course=course, clock=time.time)
    pilot, resumed = rollout.begin()
    with View(mesh.name, source.quantile, json=as_json) as view:
        view.began(pilot.standing, resumed=resumed)
        return follow(rollout, pilot, view, pause)


def follow(rollout: Rollout, pilot: Pilot, view: View, pause: float) -> int:
    """Turn after turn."""
    from meshext_controlplane.rollout.pilot import Move

    try:
        for sight in rollout.turns(pilot):
            view.show(sight)
            if sight.order.move is Move.HOLD:
                time.sleep(pause)
    except KeyboardInterrupt:
        view.interrupted(pilot.standing)
        raise
    return ROLLED_BACK if sight.order.move is Move.BACK else 0
