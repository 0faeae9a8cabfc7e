"""Holds one connection and prints what comes back to each line of standard input: hold.py HOST PORT."""

from __future__ import annotations

import socket
import sys

PATIENCE = 20.0  # seconds for an answer

if __name__ == "__main__":
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=PATIENCE) as connection:
        answers = connection.makefile("r", encoding="utf-8")
        for line in sys.stdin:
            connection.sendall(line.encode())
            sys.stdout.write(answers.readline())
            sys.stdout.flush()
