"""The xDS server: streams of gRPC over the rules in `subscription`."""
