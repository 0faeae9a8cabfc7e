"""A client that sends exactly what a case says and reads exactly what comes back."""

from __future__ import annotations

import socket

import h11

from meshext.http.headers import Headers, Lines
from meshext.http.legal import encode
from tests.conformance.case import Got, Send

DEADLINE = 20.0  # seconds


def exchange(port: int, send: Send) -> Got:
    """One request on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as link:
        link.sendall(to_bytes(send))
        return read_response(link, send.method)


def to_bytes(send: Send) -> bytes:
    """HTTP/1.1 as it goes on the wire, legal or not."""
    lines = [("host", send.host), *send.headers]
    chunked = send.chunked or bool(send.trailers)
    names = [name.lower() for name, _ in send.headers]
    if chunked:
        lines.append(("transfer-encoding", "chunked"))
    elif send.body and "content-length" not in names:
        lines.append(("content-length", str(len(send.body))))
    head = b"".join(encode(f"{name}: {value}\r\n") for name, value in lines)
    start = encode(f"{send.method} {send.target} HTTP/1.1\r\n")
    return start + head + b"\r\n" + (chunks(send) if chunked else send.body)


def chunks(send: Send) -> bytes:
    body = b"%x\r\n%s\r\n" % (len(send.body), send.body) if send.body else b""
    trailers = b"".join(encode(f"{name}: {value}\r\n") for name, value in send.trailers)
    return body + b"0\r\n" + trailers + b"\r\n"


def read_response(link: socket.socket, method: str) -> Got:
    """The response; `reset` where the connection broke before its end."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    # Only so that h11 knows which response has a body.
    http.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
    http.send(h11.EndOfMessage())
    response, body, reset = None, b"", False
    trailers: Lines = ()
    while True:
        try:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(link.recv(65536))
        except (h11.RemoteProtocolError, ConnectionError):
            reset = True
            break
        if isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            trailers = to_lines(event)
            break
        elif isinstance(event, h11.ConnectionClosed):
            reset = True
            break
    return Got(
        status=response.status_code if response else 0,
        headers=Headers.from_lines(to_lines(response) if response else ()),
        body=bytes(body),
        trailers=Headers.from_lines(trailers),
        reset=reset,
    )


def to_lines(event: h11.Response | h11.EndOfMessage) -> Lines:
    return tuple((name.decode("ascii"), bytes(value)) for name, value in event.headers)
