"""The sidecar's agent: the workload's key and certificate, and Envoy's and the application's life."""
