"""Sends a signal to processes of this container, by what they run.

python3 -I -S send.py SIGNAL PROGRAM      PROGRAM is `envoy`, the verb of a meshext command, or
                                          a module that Python runs; prints ids
"""

import os
import signal
import sys


def find(program: str) -> list[int]:
    """The processes that run it."""
    found = []
    for each in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{each}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:  # it has ended
            continue
        verb = words[1:] and os.path.basename(words[1]) == "meshext" and words[2] == program
        module = words[1:3] == ["-m", program]
        if verb or module or os.path.basename(words[0]) == program:
            found.append(int(each))
    return found


if __name__ == "__main__":
    processes = find(sys.argv[2])
    for process in processes:
        os.kill(process, signal.Signals[f"SIG{sys.argv[1]}"])
    sys.stdout.write(" ".join(map(str, processes)) + "\n")
