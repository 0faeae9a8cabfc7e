"""`meshext.http.headers`: header lines."""

from meshext_wasm.library.meshext.headers import Headers as Headers
