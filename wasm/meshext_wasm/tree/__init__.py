"""The core language: a checked program, typed and without sugar.

The frontend writes it, the IR builder reads it. Every name is resolved, every operation is a call, an
intrinsic or one of a few forms, and every conversion between representations is written down.
"""
