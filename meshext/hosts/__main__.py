"""`python -m meshext.hosts`: the service as a program of its own, which `meshext run` and tests start."""

from __future__ import annotations

import argparse
import sys

from meshext.errors import MeshextError
from meshext.hosts.address import Address, parse_address
from meshext.hosts.log_lines import configure_logging
from meshext.hosts.supervisor import LOAD_LIMIT, Supervisor


def main() -> int:
    """Serve until told to stop; what was refused is said in lines on standard error."""
    parser = argparse.ArgumentParser(prog="meshext.hosts")
    parser.add_argument("specs", nargs="+")
    parser.add_argument("--listen", required=True)
    parser.add_argument("--config", action="append", default=[])
    parser.add_argument("--log-level", default="INFO")
    parser.add_argument("--load-limit", type=float, default=LOAD_LIMIT)
    given = parser.parse_args()
    configure_logging(given.log_level)

    def ready(address: Address) -> None:
        # What the starter waits for; in one piece, since workers write to the same pipe.
        sys.stdout.write(f"serving {address}\n")
        sys.stdout.flush()

    try:
        return Supervisor(
            given.specs,
            given.config,
            parse_address(given.listen),
            log_level=given.log_level,
            load_limit=given.load_limit,
            ready=ready,
        ).run()
    except MeshextError as error:
        print(f"meshext: {error}", file=sys.stderr)  # noqa: T201  # the starter's to show
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
