"""Before any body is checked: what modules, classes and functions declare, step by step."""
