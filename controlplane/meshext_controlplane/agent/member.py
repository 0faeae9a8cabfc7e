"""What every agent is to the mesh, with an Envoy or without: one identity, kept valid, known and shown."""

from __future__ import annotations

from meshext_controlplane.agent.certificate_files import keep_written
from meshext_controlplane.agent.channels import ControlPlane
from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.directory import Directory, store_svid
from meshext_controlplane.agent.gauges import show_certificate, show_registration
from meshext_controlplane.agent.metrics_port import bind, show
from meshext_controlplane.agent.options import SidecarOptions
from meshext_controlplane.agent.parts import Parts
from meshext_controlplane.agent.registration import OnFilters, Registration
from meshext_controlplane.agent.renewal import keep_renewed
from meshext_controlplane.agent.storing import fingerprint, keep_stored, load_last_good
from meshext_controlplane.agent.svid import Svid
from meshext_controlplane.agent.trust import keep_trust
from meshext_controlplane.agent.workload_api.service import WorkloadApi
from meshext_controlplane.agent.workload_api.tokens import Tokens
from meshext_controlplane.model.proxy import Transparent
from meshext_controlplane.model.workload import State


class Member:
    """A workload's certificate, registration and last good configuration, and the parts that keep them up.

    `outbound` is the port of its proxy, 0 where it has none; `on_filters` is told what filters it is to run.
    """

    def __init__(
        self,
        options: SidecarOptions,
        directory: Directory,
        svid: Svid,
        api: WorkloadApi,
        *,
        outbound: int = 0,
        transparent: Transparent | None = None,
        on_filters: OnFilters | None = None,
    ) -> None:
        self.credentials = Credentials(svid)
        self.control_plane = ControlPlane(options.control_plane, self.credentials)
        api.identify(self.credentials, Tokens(self.control_plane))
        self.workload = options.workload(svid.identity)
        self.made_for = fingerprint(self.workload, outbound=outbound, transparent=transparent)
        self.last_good = load_last_good(directory, self.made_for)
        self.counts = api.counts
        self.registration = Registration(self.control_plane, self.workload, on_filters=on_filters)
        self._options = options
        self._directory = directory
        show_certificate(self.counts, self.credentials)
        show_registration(self.counts, self.registration)

    def start(self, parts: Parts) -> None:
        """Start what keeps it a member, until the parts end."""
        counts = self.counts
        if (address := self._options.metrics) is not None:
            parts.start("metrics", show(bind(address), counts, self._page))
        if (folder := self._options.certificates) is not None:
            parts.start("files", keep_written(folder, self.credentials))
        parts.start("renewal", keep_renewed(self.control_plane, self._keep, counts=counts))
        parts.start("trust", keep_trust(self.control_plane, self._keep, counts=counts))
        parts.start("storing", keep_stored(self._directory, self.last_good, self.made_for))
        parts.start("registration", self.registration.run())

    def _page(self) -> tuple[int, str]:
        state = self.registration.state
        return (200 if state is State.READY else 503), state.name

    def _keep(self, svid: Svid) -> None:
        store_svid(self._directory, svid)
