"""`meshext.http.exchange`: an exchange that is over."""

from meshext_wasm.library.meshext.exchange import Exchange as Exchange
