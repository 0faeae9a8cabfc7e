"""Policies as Envoy's own RBAC in a real Envoy, to compare what it decides with what we decide."""
