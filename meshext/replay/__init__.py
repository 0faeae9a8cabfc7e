"""Recorded exchanges sent through filters again, in this process; what is decided otherwise than before."""
