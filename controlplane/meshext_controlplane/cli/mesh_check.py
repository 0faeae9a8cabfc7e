"""`meshext check` of a running mesh (entry point `meshext.mesh_checks`): ask, look, connect, judge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from meshext.cli.stages import Level, Result, Stage
from meshext_controlplane.cli.admin import AdminError
from meshext_controlplane.cli.looking import look
from meshext_controlplane.identity.clock import utc_now
from meshext_controlplane.identity.holdings import Holdings, read_holdings
from meshext_controlplane.inspection import checking
from meshext_controlplane.inspection.probing import probe_all
from meshext_controlplane.state.errors import StateError
from meshext_controlplane.state.store import StateStore

NOTHING = Holdings((), ())


def check_mesh(state: Path) -> Iterator[Stage]:
    """Each stage as soon as it is done; nothing more where no control plane answers."""
    try:
        view = look(state)
    except AdminError as error:
        text, _, hint = str(error).partition("; ")
        yield Stage("control plane", (Result(Level.FAILED, text, hint or "see its log"),))
        return
    yield checking.check_control_plane(view)
    yield checking.check_configuration(view)
    holdings, now = NOTHING, utc_now()
    try:
        with StateStore(state, create=False) as store:
            holdings = read_holdings(store)
    except StateError as error:
        yield Stage("authority", (Result(Level.FAILED, str(error), "look at the disk of the state"),))
    else:
        yield checking.check_authority(holdings, now)
    places = [(workload.address, port) for workload, port in checking.list_strict(view)]
    yield from checking.check_workloads(view, holdings, probe_all(places), now)
    yield checking.check_services(view)
    yield checking.check_findings(view)
