"""`python -m meshext.hosts`: the service as a program of its own, which `meshext run` and tests start.

Its `ServiceOptions` come as a line of JSON on standard input: a command line is read by every user of the
machine, and a configuration or a store's URL may hold a secret. A second line is the mark with which its own
lines on standard output begin, so that none of what filters print there can be taken for one.
"""

from __future__ import annotations

import json
import os
import sys

from meshext.errors import MeshextError
from meshext.hosts.address import Address
from meshext.hosts.log_lines import configure_logging
from meshext.hosts.options import ServiceOptions
from meshext.hosts.report import NEEDS, Report, to_plain
from meshext.hosts.supervisor import Supervisor
from meshext.hosts.worker_recording import check_recording


def main() -> int:
    """Serve until told to stop; what was refused is said in lines on standard error."""
    try:
        given, _, mark = sys.stdin.read().partition("\n")
        options = ServiceOptions.from_json(given)
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        configure_logging(options.log_level, options.log_format)
        check_recording(options)
        starter = Starter(mark)
        return Supervisor(options, ready=starter.ready, replan=starter.replan).run()
    except MeshextError as error:
        for line in str(error).splitlines():
            print(f"meshext: {line}", file=sys.stderr)  # noqa: T201  # the starter's to show
        return error.exit_code


class Starter:
    """Whoever started us, at the other end of standard output."""

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def ready(self, addresses: tuple[Address, ...], report: Report) -> None:
        """What it waits for; in one piece, since workers write to the same pipe."""
        self._say(needs_line(report), *(f"serving {address}" for address in addresses))

    def replan(self, report: Report) -> bool:
        """A new version needs something else of Envoy: it sees to that, with a service of its own."""
        self._say(needs_line(report))
        return True

    def _say(self, *lines: str) -> None:
        sys.stdout.write("".join(f"{self._mark}{line}\n" for line in lines))
        sys.stdout.flush()


def needs_line(report: Report) -> str:
    """What the filters that were loaded need."""
    return f"{NEEDS}{json.dumps([to_plain(needs) for needs in report.needs])}"


if __name__ == "__main__":
    sys.exit(main())
