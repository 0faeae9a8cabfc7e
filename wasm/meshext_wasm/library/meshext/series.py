"""Bounds of a metric's series: `meshext.series`."""

MAX_SERIES = 1000
MAX_LABEL = 256
OTHER = "other"
