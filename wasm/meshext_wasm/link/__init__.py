"""The linker: objects in, one module for Envoy out; and the check of modules that others made.

It is strict: a symbol that nobody defines or a host function that Envoy does not have is an error here, not
a surprise when Envoy loads the module.
"""
