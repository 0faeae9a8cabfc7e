"""Ends with 0 where a container of the suite is ready: for health checks, so it imports little.

python3 -I -S ready.py envoy FOLDER    the Envoy of the sidecar that keeps its files there has configuration
python3 -I -S ready.py port NUMBER     something listens there on this machine
"""

import socket
import sys


def envoy_is_live(folder: str) -> bool:
    """Ask Envoy's admin interface, which only root and the sidecar reach."""
    with socket.socket(socket.AF_UNIX) as admin:
        admin.settimeout(2)
        admin.connect(f"{folder}/envoy/admin.sock")
        admin.sendall(b"GET /ready HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n")
        return admin.recv(64).startswith(b"HTTP/1.1 200")


def port_is_open(number: str) -> bool:
    """Try to connect."""
    with socket.create_connection(("127.0.0.1", int(number)), timeout=2):
        return True


if __name__ == "__main__":
    try:
        found = {"envoy": envoy_is_live, "port": port_is_open}[sys.argv[1]](sys.argv[2])
    except OSError:
        found = False
    sys.exit(0 if found else 1)
