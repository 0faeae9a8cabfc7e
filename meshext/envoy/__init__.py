"""The real Envoy: find its binary, write its bootstrap, run it, talk to its admin port, read its log."""
