"""The SPIFFE Workload API: the application's own way to the identity that its sidecar proves for it."""
