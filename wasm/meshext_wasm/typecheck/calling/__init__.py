"""Calls: of functions, classes, methods and values, and the functions that the checker knows itself."""
