"""The glue: Envoy's callbacks on one side, filters with their requests and responses on the other."""
