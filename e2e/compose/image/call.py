"""Calls somebody as an application does, and prints one line of JSON.

python3 call.py URL [HEADER=VALUE]...    {"status", "body", "headers"}
python3 call.py tcp://HOST:PORT          {"answer"}, to a line
python3 call.py greeting://HOST:PORT     {"answer"}, to nothing
python3 call.py tls://HOST:PORT[/NAME]   {"answer"}, to a line in TLS that asks for NAME, else for HOST
python3 call.py foreign://HOST:PORT/NAME {"answer"}, to a request in TLS, with a certificate of its own
                                         for the shop's service account NAME
python3 call.py dns://NAME               {"addresses"}

Where nobody answers: {"error"}, the kind of it (ConnectionRefusedError, TimeoutError, gaierror, ...).
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
import tempfile
from typing import Any
from urllib.parse import SplitResult, urlsplit

PATIENCE = 10.0


def call_http(
    url: SplitResult, headers: dict[str, str], method: str = "GET", body: str | None = None
) -> dict[str, Any]:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(url.hostname or "", url.port or 80, timeout=PATIENCE)
    try:
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request(method, target, body, headers)
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


def call_as_stranger(url: SplitResult) -> dict[str, Any]:
    """What comes to somebody who shows a certificate that he has made himself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    account = url.path.removeprefix("/")
    with tempfile.NamedTemporaryFile() as file:
        name = f"subjectAltName=URI:spiffe://cluster.local/ns/shop/sa/{account}"
        wanted = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x"
        command = ["openssl", "req", "-x509", *wanted.split(), "-addext", name]
        subprocess.run(
            [*command, "-keyout", file.name, "-out", f"{file.name}.crt"], check=True, capture_output=True
        )
        context.load_cert_chain(f"{file.name}.crt", file.name)
    plain = socket.create_connection((url.hostname or "", url.port or 0), timeout=PATIENCE)
    with context.wrap_socket(plain, server_hostname=url.hostname) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        return {"answer": connection.recv(4096).decode(errors="replace")}


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
        if url.scheme == "foreign":
            return call_as_stranger(url)
        if url.scheme == "dns":
            return look_up(url.hostname or "")
        return call_line(url)
    except (OSError, http.client.HTTPException) as error:
        return {"error": type(error).__name__, "text": str(error)}


if __name__ == "__main__":
    given = dict(each.partition("=")[::2] for each in sys.argv[2:])
    sys.stdout.write(json.dumps(call(sys.argv[1], given)) + "\n")
