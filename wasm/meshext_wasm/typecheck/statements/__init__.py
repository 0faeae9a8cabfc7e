"""Statements, a kind a module; `kinds` is the table of them."""
