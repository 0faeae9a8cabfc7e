"""JWT-SVIDs for the application: asked of the control plane, kept while they are young."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc
import grpc.aio

from meshext_controlplane.agent.channels import ControlPlane, say
from meshext_controlplane.agent.errors import RefusedError, UnreachableError
from meshext_controlplane.identity.errors import JwtError
from meshext_controlplane.identity.jwt_checking import key_id_of, read_claims
from meshext_proto.meshext import svids_pb2

ISSUE = "/meshext.svids.Tokens/Issue"
TIME_LIMIT = 10.0  # seconds for one call
MOST = 256
"""Tokens that are kept, each for other audiences."""
SPARE = 10.0
"""Seconds that a token has to be valid for at least, to be handed out while there is no other."""

_FINAL = frozenset(
    {
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)

log = logging.getLogger("meshext.sidecar")


def since_boot() -> float:
    """Seconds that nobody sets, and that pass while the machine sleeps: our clock may not be the control
    plane's, which a token's times are by."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Given:
    """A token, the name of the key that it is signed with, and for how many seconds it is valid."""

    token: str = field(repr=False)
    key: str
    life: float


@dataclass(frozen=True, slots=True)
class Kept:
    """A token that was given at a time by `since_boot`."""

    given: Given
    since: float


class Tokens:
    """Gives tokens of the sidecar's identity. One is used until half its life, or its key, is over."""

    def __init__(self, control_plane: ControlPlane, *, clock: Callable[[], float] = since_boot) -> None:
        self._control_plane = control_plane
        self._clock = clock
        self._kept: OrderedDict[tuple[str, ...], Kept] = OrderedDict()

    async def get(self, audiences: tuple[str, ...]) -> str:
        """A token for these; RefusedError, or UnreachableError where there is none and none comes."""
        kept = self._find(audiences)
        if kept is not None and self._clock() < kept.since + kept.given.life / 2:
            return kept.given.token
        begun = self._clock()
        try:
            fresh = read_token(await self._ask(audiences), self._identity, audiences)
        except UnreachableError as error:
            if kept is None or self._clock() > kept.since + kept.given.life - SPARE:
                raise
            log.warning("an older token is handed out: %s", error)
            return kept.given.token
        self._keep(audiences, Kept(fresh, begun))
        return fresh.token

    @property
    def _identity(self) -> str:
        return str(self._control_plane.credentials.svid.identity)

    def _find(self, audiences: tuple[str, ...]) -> Kept | None:
        """The one that is kept, unless its key is none any more."""
        kept = self._kept.get(audiences)
        keys = self._control_plane.credentials.svid.jwt_keys
        return kept if kept is not None and any(kept.given.key == each.id for each in keys) else None

    def _keep(self, audiences: tuple[str, ...], fresh: Kept) -> None:
        self._kept[audiences] = fresh
        self._kept.move_to_end(audiences)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)

    async def _ask(self, audiences: tuple[str, ...]) -> str:
        request = svids_pb2.IssueRequest(audiences=audiences, subject=self._identity)
        async with self._control_plane.open() as channel:
            call = channel.unary_unary(
                ISSUE,
                request_serializer=svids_pb2.IssueRequest.SerializeToString,
                response_deserializer=svids_pb2.Jwt.FromString,
            )
            try:
                answer: svids_pb2.Jwt = await call(request, timeout=TIME_LIMIT)
            except grpc.aio.AioRpcError as error:
                if error.code() in _FINAL:
                    raise RefusedError(error.details() or "", code=error.code().name) from None
                raise UnreachableError(f"the control plane gives no token: {say(error)}") from None
        return answer.token


def read_token(token: str, identity: str, audiences: tuple[str, ...]) -> Given:
    """A token that the control plane gave, made sure to be the one that was asked for; UnreachableError."""
    try:
        claims, key = read_claims(token), key_id_of(token)
        life = float(claims["exp"]) - float(claims["iat"])
    except (JwtError, LookupError, TypeError, ValueError) as error:
        raise UnreachableError(f"the control plane gave no token: {error}") from None
    if claims.get("sub") != identity or claims.get("aud") != list(audiences):
        raise UnreachableError("the control plane gave a token for others than was asked for")
    return Given(token, key, life)
