"""Every known way around a policy, at every kind of listener, in every runtime: one table."""
