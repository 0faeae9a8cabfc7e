"""Labels for the metrics of filters that run inside Envoy.

proxy-wasm knows metrics by a name alone, so a module writes labels into it: `NAME;LABEL=VALUE;` for each,
which Envoy shows as `wasmcustom.NAME;...`. These rules take them out again, so that Prometheus and others get
labels.
`envoy.config.metrics.v3.StatsConfig`, in the bootstrap.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from meshext.envoy.messages import builds_messages

if TYPE_CHECKING:
    from envoy_data_plane.envoy.config.metrics.v3 import StatsConfig


@builds_messages
def build_stats_config(labels: Sequence[str]) -> StatsConfig:
    """One rule for each label: the first group is what leaves the name, the second the value."""
    from envoy_data_plane.envoy.config.metrics.v3 import StatsConfig, TagSpecifier

    return StatsConfig(
        stats_tags=[
            TagSpecifier(tag_name=label, regex=f"(;{re.escape(label)}=([^;]*);)") for label in sorted(labels)
        ]
    )
