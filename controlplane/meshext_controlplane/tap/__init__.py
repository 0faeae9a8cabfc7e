"""What the mesh tells about its traffic: Envoy's access log service and OTLP spans, as plain records."""
