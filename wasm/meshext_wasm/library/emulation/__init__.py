"""What the compiler knows itself, under CPython; not compiled. See `library/raw.py`."""
