"""`python -m meshext.hosts`: the service as a program of its own, which `meshext run` and tests start.

Its `ServiceOptions` come as JSON on standard input: a command line is read by every user of the machine, and
a configuration or a store's URL may hold a secret.
"""

from __future__ import annotations

import os
import sys

from meshext.errors import MeshextError
from meshext.hosts.address import Address
from meshext.hosts.log_lines import configure_logging
from meshext.hosts.options import ServiceOptions
from meshext.hosts.supervisor import Supervisor


def main() -> int:
    """Serve until told to stop; what was refused is said in lines on standard error."""
    try:
        options = ServiceOptions.from_json(sys.stdin.read())
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        configure_logging(options.log_level, options.log_format)
        return Supervisor(options, ready=announce).run()
    except MeshextError as error:
        for line in str(error).splitlines():
            print(f"meshext: {line}", file=sys.stderr)  # noqa: T201  # the starter's to show
        return error.exit_code


def announce(addresses: tuple[Address, ...]) -> None:
    """What the starter waits for; in one piece, since workers write to the same pipe."""
    sys.stdout.write("".join(f"serving {address}\n" for address in addresses))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
