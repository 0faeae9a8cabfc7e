"""The filter engine: events in, effects out, no I/O.

The services and the test harness drive the same engine, so a filter means the same in all of them.
"""
