"""What a sidecar reads of its token: the root that the control plane has to have."""

from __future__ import annotations

from meshext_controlplane.agent.errors import AgentError


def parse_fingerprint(token: str) -> bytes:
    """The SHA-256 of the root; AgentError where the text is no token (the text is not repeated)."""
    try:
        fingerprint = bytes.fromhex(token.strip().rpartition(".")[2])
    except ValueError:
        fingerprint = b""
    if len(fingerprint) != 32:
        raise AgentError("--token is no token; 'meshext token create' on the control plane makes one")
    return fingerprint
