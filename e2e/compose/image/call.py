"""Calls somebody as an application does, and prints one line of JSON.

python3 call.py URL [HEADER=VALUE]...    {"status", "body", "headers"}
python3 call.py tcp://HOST:PORT          {"answer"}, to a line
python3 call.py greeting://HOST:PORT     {"answer"}, to nothing
python3 call.py tls://HOST:PORT[/NAME]   {"answer"}, to a line in TLS that asks for NAME, else for HOST
python3 call.py dns://NAME               {"addresses"}

Where nobody answers: {"error"}, the kind of it (ConnectionRefusedError, TimeoutError, gaierror, ...).
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
from typing import Any
from urllib.parse import SplitResult, urlsplit

PATIENCE = 10.0


def call_http(url: SplitResult, headers: dict[str, str]) -> dict[str, Any]:
    """GET."""
    connection = http.client.HTTPConnection(url.hostname or "", url.port or 80, timeout=PATIENCE)
    try:
        connection.request("GET", url.path or "/", headers=headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        return {"status": response.status, "body": text, "headers": dict(response.getheaders())}
    finally:
        connection.close()


def call_line(url: SplitResult) -> dict[str, Any]:
    """A line, and what comes back; `answer` is "" where the connection is ended without one."""
    plain = socket.create_connection((url.hostname or "", url.port or 0), timeout=PATIENCE)
    with plain:
        connection = plain
        if url.scheme == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            name = url.path.removeprefix("/") or url.hostname
            connection = context.wrap_socket(plain, server_hostname=name)
        if url.scheme != "greeting":
            connection.sendall(b"hello\n")
        return {"answer": connection.recv(4096).decode().strip()}


def look_up(name: str) -> dict[str, Any]:
    """The IPv4 addresses of a name, as the system's resolver finds them."""
    found = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)
    return {"addresses": sorted({str(each[4][0]) for each in found})}


def call(target: str, headers: dict[str, str]) -> dict[str, Any]:
    """What the target answers."""
    url = urlsplit(target)
    try:
        if url.scheme == "http":
            return call_http(url, headers)
        if url.scheme == "dns":
            return look_up(url.hostname or "")
        return call_line(url)
    except (OSError, http.client.HTTPException) as error:
        return {"error": type(error).__name__, "text": str(error)}


if __name__ == "__main__":
    given = dict(each.partition("=")[::2] for each in sys.argv[2:])
    sys.stdout.write(json.dumps(call(sys.argv[1], given)) + "\n")
