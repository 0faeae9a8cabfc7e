"""Response headers from the request side: they reach every response, and the cheaper ext_authz is enough."""

from dataclasses import dataclass, field

from meshext import Filter, Request, Respond


def strict_headers() -> dict[str, str]:
    """What a browser should be told by default."""
    return {
        "strict-transport-security": "max-age=31536000",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }


class ResponseHeaders(Filter):
    """Puts security headers on every response, and refuses methods that nobody offers."""

    @dataclass(frozen=True)
    class Config:
        """`headers` replace the upstream's, `methods` are those that pass."""

        headers: dict[str, str] = field(default_factory=strict_headers)
        methods: list[str] = field(default_factory=lambda: ["GET", "HEAD", "POST"])

    def __init__(self, config: Config) -> None:
        self.headers = config.headers
        self.methods = config.methods

    def on_request(self, request: Request) -> Respond | None:
        """`response_headers` wait for whatever response the client gets, the refusal below included."""
        for name, value in self.headers.items():
            request.response_headers[name] = value
        request.response_headers.add("vary", "x-tenant")
        if request.method not in self.methods:
            return Respond(405, headers={"allow": ", ".join(self.methods)}, body="not offered\n")
        return None
