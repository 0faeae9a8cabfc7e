"""The base class of every policy. Its hooks are found when the module is built, not called through it."""


class Filter:
    """See `meshext.Filter`."""
