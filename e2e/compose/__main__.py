"""`python -m e2e.compose` builds the image, so that no case waits for it; where it can not, it says why."""

from __future__ import annotations

import sys

from e2e.compose.engine import why_not
from e2e.compose.project import BUILD, SHOP, Project

if reason := why_not():
    sys.exit(f"no image: {reason}")
Project("meshext-image", SHOP).compose("build", limit=BUILD)
