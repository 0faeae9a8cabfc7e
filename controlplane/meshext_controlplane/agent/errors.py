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


class SvidError(AgentError):
    """A certificate that we were given or have stored is not one to serve."""


class DirectoryError(AgentError):
    """The sidecar's directory can not be used: not ours, in use, or its files are damaged."""
