"""Where `self.store` keeps its data when one process is not enough: the supervisor's memory, or Redis."""
