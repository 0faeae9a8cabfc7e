"""`meshext.http.metadata`: what Envoy's filters tell each other."""

from meshext_wasm.library.meshext.metadata import Metadata as Metadata

Json = object
"""What JSON can say; only `isinstance` tells which of it a value is."""
