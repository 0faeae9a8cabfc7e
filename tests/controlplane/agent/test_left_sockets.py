"""An application that was killed leaves its socket, and could not listen there again."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

from meshext_controlplane.agent.application import remove_left_sockets
from meshext_controlplane.model.workload import WorkloadPort


def test_only_a_socket_on_which_nobody_listens_is_removed() -> None:
    with tempfile.TemporaryDirectory(prefix="mx") as short, socket.socket(socket.AF_UNIX) as listening:
        left, used, file = (Path(short, name) for name in ("left", "used", "file"))
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(str(left))
        listening.bind(str(used))
        listening.listen()
        file.touch()
        places = [*(f"unix:{path}" for path in (left, used, file, Path(short, "none"))), "127.0.0.1:1"]
        ports = [WorkloadPort(number=number, application=place) for number, place in enumerate(places, 1)]
        remove_left_sockets(ports)
        assert sorted(path.name for path in Path(short).iterdir()) == ["file", "used"]
