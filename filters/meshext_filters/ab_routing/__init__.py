"""The policy `ab-routing`: a stable share of users to each variant of an experiment.

`config` is what is written, `sources` where a user's key comes from, `split` who gets which variant,
`assignment` both for one configuration, `overrides` and `visits` what clients carry (tokens of testers, the
cookie), `policy` the filter.
"""

from meshext_filters.ab_routing.overrides import make_override
from meshext_filters.ab_routing.policy import ABRouting

__all__ = ["ABRouting", "make_override"]
