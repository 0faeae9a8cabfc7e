"""The ahead-of-time compiler: a filter class in, a proxy-wasm module for Envoy out.

Its folders will stand in the order of its pipeline, and it will join the command line and the runtimes
through the entry points `meshext.commands` and `meshext.runtimes`. It holds no code yet.
"""
