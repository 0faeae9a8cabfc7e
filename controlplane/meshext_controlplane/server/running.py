"""From options to a control plane that runs until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from meshext.errors import ConfigError
from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.brought import Brought, read_brought
from meshext_controlplane.identity.clock import utc_now
from meshext_controlplane.identity.facts import TRUST_DOMAIN
from meshext_controlplane.identity.marker import default_marker
from meshext_controlplane.identity.starting import start_authority
from meshext_controlplane.model.mesh_config import MeshConfig, MeshConfigSpec
from meshext_controlplane.server.control_plane import ControlPlane
from meshext_controlplane.server.metrics import Counts
from meshext_controlplane.server.options import ControlPlaneOptions
from meshext_controlplane.server.ports import Ports
from meshext_controlplane.sources.configuration import NOTHING, merge
from meshext_controlplane.sources.folder import read_folder
from meshext_controlplane.state.ownership import Ownership
from meshext_controlplane.state.settings import read_setting
from meshext_controlplane.state.store import StateStore

Ready = Callable[[Ports], None]


async def run_control_plane(options: ControlPlaneOptions, ready: Ready) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called once everything is loaded and listens.

    StateError, AuthorityError, ListenError where it can not start.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    counts = Counts()
    with Ownership(options.state), StateStore(options.state, observe=counts.stored) as store:
        control_plane = ControlPlane(options, store, open_authority(options, store), counts=counts)
        async with control_plane.running() as ports:
            ready(ports)
            await stop.wait()


def open_authority(options: ControlPlaneOptions, store: StateStore) -> CertificateAuthority:
    """The authority of the state; made at a first start."""
    trust_domain = find_trust_domain(options, store)
    return start_authority(
        store,
        trust_domain=trust_domain,
        marker=default_marker(options.state),
        initialise=options.init,
        secret=options.secret,
        brought=read_own(options, trust_domain),
    )


def read_own(options: ControlPlaneOptions, trust_domain: str) -> Brought | None:
    """The operator's own authority; None where there is none."""
    if options.authority is None:
        return None
    certificates, key = options.authority
    return read_brought(certificates, key, now=utc_now(), trust_domain=trust_domain)


def find_trust_domain(options: ControlPlaneOptions, store: StateStore) -> str:
    """What the folder's MeshConfig says; without one what the state began with, or the default.

    ConfigError where the MeshConfig of a first start is wrong: nobody should join a mesh of another name.
    """
    with store.reading() as transaction:
        kept = read_setting(transaction, TRUST_DOMAIN)
    written = merge(read_folder(options.config).readings) if options.config else NOTHING
    if written.documents.get(MeshConfig.KIND):
        return written.config.trust_domain
    wrong = [str(each) for each in written.problems if each.key and each.key[0] == MeshConfig.KIND]
    if wrong and not kept:
        raise ConfigError(wrong, source="a first start needs a MeshConfig that is right")
    return kept.decode() if kept else MeshConfigSpec().trust_domain
