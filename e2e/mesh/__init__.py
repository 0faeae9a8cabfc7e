"""Whole meshes: real control planes, sidecars, Envoys and applications as processes of their own."""
