"""`python -m e2e.bench.scale`: a mesh of many services and proxies, served to simulated clients over mTLS."""
