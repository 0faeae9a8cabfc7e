"""The verbs and the runtime that this distribution adds to the command line."""
