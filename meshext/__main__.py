"""`python -m meshext`: the command line."""

import sys

from meshext.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
