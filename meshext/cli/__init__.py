"""The command line: one file per verb, found by the table in `verbs.py` and loaded when it is asked for."""
