"""What a service tells of itself: Prometheus metrics, OpenTelemetry traces and metrics."""
