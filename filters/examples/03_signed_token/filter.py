"""Sessions without a database: a signed cookie says who it is, and is renewed shortly before it expires."""

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass

from meshext import Filter, Request, Respond, Response


class SignedToken(Filter):
    """Checks the session cookie `USER.EXPIRES.SIGNATURE` and renews it on the way back."""

    @dataclass(frozen=True)
    class Config:
        """`lifetime` and `renew_before` are in seconds."""

        secret: str
        cookie: str = "session"
        lifetime: int = 3600
        renew_before: int = 600

        def __post_init__(self) -> None:
            if len(self.secret) < 32:
                raise ValueError("secret is too short; write at least 32 random characters")

    @dataclass
    class State:
        """What the request tells the response."""

        user: str = ""
        expires: int = 0

    def __init__(self, config: Config) -> None:
        self.config = config

    def on_request(self, request: Request[State]) -> Respond | None:
        """Nobody passes without a session."""
        session = self.verify(request.cookies.get(self.config.cookie, ""))
        if session is None:
            return Respond(401, body="please log in\n")
        request.state.user, request.state.expires = session
        request.headers["x-user"] = request.state.user
        return None

    def on_response(self, response: Response[State]) -> None:
        """A session that is used lives on."""
        now = int(time.time())
        state = response.state
        if state.user and state.expires - now < self.config.renew_before:
            token = self.sign(state.user, now + self.config.lifetime)
            rules = f"Path=/; Max-Age={self.config.lifetime}; HttpOnly; Secure; SameSite=Lax"
            response.headers.add("set-cookie", f"{self.config.cookie}={token}; {rules}")

    def sign(self, user: str, expires: int) -> str:
        """A token for that user; `expires` is in seconds since 1970."""
        claim = f"{user}.{expires}"
        mac = hmac.new(self.config.secret.encode(), claim.encode(), hashlib.sha256).digest()
        return f"{claim}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    def verify(self, token: str) -> tuple[str, int] | None:
        """User and end of a token that we signed and that has not expired."""
        claim, _, _ = token.rpartition(".")
        user, _, expires = claim.rpartition(".")
        if not (token.isascii() and user and expires.isdigit() and len(expires) < 12):
            return None
        genuine = hmac.compare_digest(token, self.sign(user, int(expires)))
        return (user, int(expires)) if genuine and int(expires) > time.time() else None
