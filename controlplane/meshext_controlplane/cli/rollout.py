"""`meshext rollout`: a canary that goes forward by itself, and back at once when its metrics worsen."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshext_controlplane.cli.admin import DEFAULT_STATE, State

if TYPE_CHECKING:
    from meshext_controlplane.cli.rollout_view import View
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

    The VirtualService's HTTP routes share their requests between two subsets. At each weight both are
    compared by what their callers' Envoys counted: failed requests, and latency. The canary goes on when it
    has proved itself, and back to 0 at once when it is worse, or when Prometheus can not be asked any more.
    Where a rollout is, stands in the VirtualService: run the command again and it goes on from there.

    Exit code 0 the canary has everything, 1 it went back, 2 it could not begin, 130 interrupted (the weight
    stays as it is).

    A query may have {subset}, {host}, {cluster} (a pattern for envoy_cluster_name), {window}, {quantile}.

    Examples:
      meshext rollout shop/reviews --canary v2 --prometheus http://prometheus:9090
      meshext rollout shop/reviews --canary v2 --prometheus http://prometheus:9090 --steps 1,10,100 --hold 5m
      meshext rollout shop/reviews --canary v2 --abort
    """
    from meshext.cli.faults import UsageError
    from meshext_controlplane.cli.applied import AppliedRoute
    from meshext_controlplane.cli.rollout_view import View
    from meshext_controlplane.cli.spans import parse_span
    from meshext_controlplane.rollout.course import Bounds, Course, parse_steps
    from meshext_controlplane.rollout.prometheus import Prometheus, parse_queries, parse_url
    from meshext_controlplane.rollout.running import Rollout

    mesh = AppliedRoute(state, name, canary=canary, stable=stable, host=host)
    if abort or promote:
        mesh.end(abort=abort, promote=promote)
        return
    if not prometheus:
        raise UsageError("--prometheus is missing: the address of the one that scrapes the sidecars")
    course = Course(
        steps=parse_steps(steps),
        hold=parse_span("--hold", hold).total_seconds(),
        limit=parse_span("--limit", limit).total_seconds(),
        patience=parse_span("--patience", patience).total_seconds(),
        bounds=Bounds(errors=max_errors / 100, slower=max_slower, slack=slack / 1000, least=min_requests),
    )
    source = Prometheus(
        url=parse_url(prometheus), quantile=quantile, queries=parse_queries(query or []), ca=ca
    )
    view = View(name, quantile, json=as_json)
    running = Rollout(mesh=mesh, look=source.read, course=course, clock=time.time)
    raise typer.Exit(drive(running, view, parse_span("--every", every).total_seconds()))


def drive(rollout: Rollout, view: View, pause: float) -> int:
    """Until it has ended; the exit code. Where Prometheus can not be asked, it does not begin."""
    from meshext_controlplane.rollout.pilot import Move

    rollout.look(rollout.mesh.read().versions, rollout.course.hold)
    pilot, resumed = rollout.begin()
    with view:
        view.began(pilot.standing, resumed=resumed)
        try:
            for sight in rollout.turns(pilot):
                view.show(sight)
                if sight.order.move is Move.HOLD:
                    time.sleep(pause)
        except KeyboardInterrupt:
            view.interrupted(pilot.standing)
            raise
    return ROLLED_BACK if sight.order.move is Move.BACK else 0
