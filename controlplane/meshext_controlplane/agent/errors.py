"""What can keep a sidecar from starting, or from going on."""

from __future__ import annotations

from meshext.errors import MeshextError


class AgentError(MeshextError):
    """A sidecar can not start or go on; the text says what to do."""


class ForgedServerError(AgentError):
    """Who answers is not the control plane that the token speaks of. Nothing was sent to it."""


class JoinError(AgentError):
    """The control plane refused a token; another one is needed."""


class UnreachableError(AgentError):
    """The control plane can not be reached, or is not ready."""


class RefusedError(AgentError):
    """The control plane has answered, and gives nothing; `code` is the name of gRPC's status."""

    def __init__(self, text: str, *, code: str) -> None:
        super().__init__(text)
        self.code = code


class SvidError(AgentError):
    """A certificate that we were given or have stored is not one to serve."""


class DirectoryError(AgentError):
    """The sidecar's directory can not be used: not ours, in use, or its files are damaged."""
