"""Ends with 0 where a container of the suite is ready: for health checks, so it imports little.

python3 -I -S ready.py envoy           the Envoy of this container's sidecar has configuration
python3 -I -S ready.py port NUMBER     something listens there on this machine

python3 -I -S ready.py then COMMAND... waits until the sidecar beside it is ready, by the port of its
                                       statistics in the network that they share, and becomes that command
"""

import os
import socket
import sys
import time

STATS = 15090
PAUSE = 0.2  # seconds between two looks
SIDECARS = "/var/lib/meshext/sidecars"


def envoy_is_live() -> bool:
    """Ask Envoy's admin interface, which only root and the sidecar reach."""
    (name,) = os.listdir(SIDECARS)
    folder = f"{SIDECARS}/{name}"
    with socket.socket(socket.AF_UNIX) as admin:
        admin.settimeout(2)
        admin.connect(f"{folder}/envoy/admin.sock")
        admin.sendall(b"GET /ready HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n")
        return admin.recv(64).startswith(b"HTTP/1.1 200")


def port_is_open(number: str) -> bool:
    """Try to connect."""
    with socket.create_connection(("127.0.0.1", int(number)), timeout=2):
        return True


def stats_are_served() -> bool:
    """Whether Envoy has its configuration: it was started when the rules were in place."""
    with socket.create_connection(("127.0.0.1", STATS), timeout=2) as connection:
        connection.sendall(b"GET /ready HTTP/1.1\r\nhost: stats\r\nconnection: close\r\n\r\n")
        return connection.recv(64).startswith(b"HTTP/1.1 200")


def wait_and_become(command: list[str]) -> None:
    """Never comes back."""
    while True:
        try:
            if stats_are_served():
                os.execvp(command[0], command)
        except OSError:  # not yet
            pass
        time.sleep(PAUSE)


if __name__ == "__main__":
    if sys.argv[1] == "then":
        wait_and_become(sys.argv[2:])
    try:
        found = port_is_open(sys.argv[2]) if sys.argv[1] == "port" else envoy_is_live()
    except (OSError, ValueError):  # no folder, no socket, nobody there
        found = False
    sys.exit(0 if found else 1)
