"""The proxy-wasm ABI as Envoy 1.40 has it: names, signatures and numbers, and nothing that does anything."""
