"""A proxy-wasm host without Envoy: wasmtime runs the module, and the answers are Envoy's, the odd ones too.

For tests, and for looking at a module without an Envoy. What is emulated was measured on Envoy 1.40.
"""
