"""Passes over the IR, one a module; `pipeline` runs them and verifies after each."""
