"""The policy `rate-limit`: so many hits in so much time, for each caller, path or what else a key names.

`config` is what is written, `sources` where the parts of a key come from, `rules` a configuration made
ready, `fields` the header fields that tell a client, `policy` the filter.
"""

from meshext_filters.rate_limit.policy import RateLimit

__all__ = ["RateLimit"]
