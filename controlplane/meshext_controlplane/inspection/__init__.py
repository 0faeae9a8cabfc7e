"""A running mesh seen from the outside: rebuilt from what its control plane tells, described, checked."""
