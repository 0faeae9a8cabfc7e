"""`python -m meshext.hosts`: the service as a program of its own, which `meshext run` and tests start.

Its `ServiceOptions` come as JSON on standard input: a command line is read by every user of the machine, and
a configuration or a store's URL may hold a secret.
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
        options = ServiceOptions.from_json(sys.stdin.read())
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        configure_logging(options.log_level, options.log_format)
        check_recording(options)
        return Supervisor(options, ready=announce, replan=announce_needs).run()
    except MeshextError as error:
        for line in str(error).splitlines():
            print(f"meshext: {line}", file=sys.stderr)  # noqa: T201  # the starter's to show
        return error.exit_code


def announce(addresses: tuple[Address, ...], report: Report) -> None:
    """What the starter waits for; in one piece, since workers write to the same pipe."""
    say(needs_line(report) + "".join(f"serving {address}\n" for address in addresses))


def announce_needs(report: Report) -> bool:
    """A new version needs something else of Envoy: the starter sees to that, with a service of its own."""
    say(needs_line(report))
    return True


def needs_line(report: Report) -> str:
    """What the filters that were loaded need."""
    return f"{NEEDS}{json.dumps([to_plain(needs) for needs in report.needs])}\n"


def say(text: str) -> None:
    """On standard output, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
