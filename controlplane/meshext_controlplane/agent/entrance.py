"""How a sidecar comes to its first SVID of this life: the stored one, else by its token."""

from __future__ import annotations

import logging

from meshext_controlplane.agent.directory import Directory, joining_key, load_svid, store_svid
from meshext_controlplane.agent.errors import AgentError, SvidError
from meshext_controlplane.agent.joining import join
from meshext_controlplane.agent.options import SidecarOptions
from meshext_controlplane.agent.svid import Svid
from meshext_controlplane.identity.tokens import JoinToken

log = logging.getLogger("meshext.sidecar")


async def enter(directory: Directory, options: SidecarOptions) -> Svid:
    """The SVID to begin with, stored in `directory`.

    AgentError where there is neither a stored one that is still valid nor a token, TokenError where that is
    none; see `joining.join`.
    """
    try:
        stored = load_svid(directory)
    except SvidError as error:
        if not options.token:
            raise AgentError(f"{error}; give a new --token") from None
        log.warning("%s; joining anew", error)
        stored = None
    if stored is not None:
        unused = "; the token is not used" if options.token else ""
        log.info("%s, certificate valid until %s UTC%s", stored.identity, f"{stored.not_after:%F %T}", unused)
        return stored
    if not options.token or options.join is None:
        raise AgentError(
            f"there is no certificate in {str(directory.path)!r} yet: give --token, made by"
            " 'meshext token create' on the control plane, and --join, its port for tokens"
        )
    root = bytes.fromhex(JoinToken.parse(options.token).root)
    svid = await join(options.join, options.token, root, joining_key(directory))
    store_svid(directory, svid)
    log.info("joined as %s, certificate valid until %s UTC", svid.identity, f"{svid.not_after:%F %T}")
    return svid
