"""The services: Envoy's gRPC protocols on one side, the engine on the other."""
