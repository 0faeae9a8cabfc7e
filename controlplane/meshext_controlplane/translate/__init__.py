"""From the mesh's documents to Envoy's configuration: pure functions, one file for each HTTP filter."""
