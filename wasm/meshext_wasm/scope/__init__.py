"""Which names a function has: its own, those it shares with functions inside of it, and the module's."""
