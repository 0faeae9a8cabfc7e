"""The ahead-of-time compiler: a filter class in, a proxy-wasm module for Envoy out.

Its folders stand in the order of its pipeline, which `build` runs:

    source, scope -> typecheck (to `tree`) -> ir -> passes -> llvm -> link

`library` is the run-time library, `glue` what is written for each build, `host` an emulated Envoy for tests.
It joins the command line and the runtimes through the entry points `meshext.commands` and `meshext.runtimes`.
"""
