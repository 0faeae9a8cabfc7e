"""A VirtualService that was applied, read and written through the control plane's API."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meshext_controlplane.cli.admin import call
from meshext_controlplane.rollout.course import WHOLE
from meshext_controlplane.rollout.errors import RolloutError
from meshext_controlplane.rollout.shifting import Shifting, read_shifting

if TYPE_CHECKING:
    from meshext_proto.meshext import admin_pb2

KIND = "VirtualService"


@dataclass(frozen=True, slots=True)
class AppliedRoute:
    """See `meshext_controlplane.rollout.running.Mesh`. `name` is NAME or NAMESPACE/NAME."""

    state: Path
    name: str
    canary: str
    stable: str = ""
    host: str = ""

    def read(self) -> Shifting:
        """As it is served; RolloutError where it is not there, or not ours to change."""
        from meshext_proto.meshext import admin_pb2

        look = call(self.state, "Look", admin_pb2.LookRequest(), admin_pb2.LookReply)
        served = self._find(look)
        return read_shifting(served.text.content, canary=self.canary, stable=self.stable, host=self.host)

    def write(self, shifting: Shifting) -> None:
        """Apply it; RolloutError with every reason where the control plane refuses it."""
        from meshext_proto.meshext import admin_pb2

        text = admin_pb2.Text(source=f"the rollout of {self.name}", content=shifting.to_text())
        reply = call(self.state, "Apply", admin_pb2.ApplyRequest(texts=[text]), admin_pb2.ApplyReply)
        if reply.problems:
            raise RolloutError("; ".join(reply.problems))

    def end(self, *, abort: bool, promote: bool) -> None:
        """By hand, with or without a rollout: everything to one version; says so."""
        if abort and promote:
            raise RolloutError("--abort and --promote exclude each other; write one")
        shifting = self.read()
        self.write(shifting.ended(WHOLE if promote else 0))
        versions = shifting.versions
        print(f"{self.name}: everything goes to {versions.canary if promote else versions.stable}")

    def _find(self, look: admin_pb2.LookReply) -> admin_pb2.LookReply.Served:
        names = (self.name.partition("/")[::2],) if "/" in self.name else ()
        found = [
            each
            for each in look.documents
            if each.kind == KIND and ((each.namespace, each.name) in names or each.name == self.name)
        ]
        if len(found) != 1:
            told = "several namespaces have one; write NAMESPACE/NAME" if found else "none is served"
            raise RolloutError(f"{KIND} {self.name}: {told}; `meshext get {KIND}` lists them")
        if not found[0].applied:
            told = f"is a file of the control plane's folder ({found[0].text.source})"
            raise RolloutError(f"{KIND} {self.name} {told}; take it out there and `meshext apply` it")
        return found[0]
