"""The smallest policy: one path is answered here, every other request goes on with one more header."""

from meshext import Filter, Request, Respond


class Hello(Filter):
    """Greets on /hello and marks everything else."""

    def on_request(self, request: Request) -> Respond | None:
        """Answer, or let the request pass."""
        if request.path == "/hello":
            return Respond(200, body=f"hello, {request.query.get('name', 'stranger')}\n")
        request.headers["x-hello"] = "passed"
        return None
