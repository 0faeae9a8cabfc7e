"""What a compiled filter costs inside Envoy, beside the other ways to have it: `python -m e2e.bench.wasm`."""
