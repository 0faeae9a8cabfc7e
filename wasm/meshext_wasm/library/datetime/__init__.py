"""datetime: days, times of day, moments, stretches of time, and zones at a fixed distance from UTC.

As CPython's but for what needs a zone that nobody has told: there is no `now()` without a zone, no `today()`,
no `fromtimestamp` without a zone, and `timestamp()` and `astimezone()` take a datetime without a zone as UTC.
A `datetime` is no `date` here. Zones are `timezone`; `tzinfo` can not be subclassed.
"""

from __future__ import annotations

from meshext_wasm.library.datetime.clocks import time
from meshext_wasm.library.datetime.dates import date
from meshext_wasm.library.datetime.days import MAXYEAR, MINYEAR
from meshext_wasm.library.datetime.deltas import timedelta
from meshext_wasm.library.datetime.moments import datetime
from meshext_wasm.library.datetime.zones import UTC, timezone

__all__ = ["MAXYEAR", "MINYEAR", "UTC", "date", "datetime", "time", "timedelta", "timezone"]
