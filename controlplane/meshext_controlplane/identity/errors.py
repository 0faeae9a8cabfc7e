"""What identity refuses, each with a text for whoever asked; none of them holds a secret."""

from __future__ import annotations

from meshext.errors import MeshextError


class IdentityError(MeshextError):
    """Something about identities is refused."""


class CsrError(IdentityError):
    """A request for a certificate asks for what its sender can not have, or is none."""


class TokenError(IdentityError):
    """A join token is none, unknown, used or expired."""


class PeerError(IdentityError):
    """A peer has shown no certificate of a workload of this mesh, or one that has expired."""


class BannedError(IdentityError):
    """An identity or a serial number is banned."""


class BusyError(IdentityError):
    """More certificates are asked for than one workload needs; later it may have one."""


class LimitError(IdentityError):
    """A workload is not within the limits of the token that it joined with."""


class AudienceError(IdentityError):
    """A token is asked for nobody, for too many, or for what is no name."""


class SubjectError(IdentityError):
    """A token is asked for in the name of somebody else."""


class JwtError(IdentityError):
    """A token is not to be believed, or none at all."""


class AuthorityError(IdentityError):
    """The authority can not be made, opened or used."""


class AuthorityMissing(AuthorityError):
    """The state holds no authority."""


class SealError(AuthorityError):
    """Keys in the state can not be opened with the secret that was given, or with none."""
