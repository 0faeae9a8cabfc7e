"""What an Envoy runs with, out of its configuration dump: rows for tables."""
