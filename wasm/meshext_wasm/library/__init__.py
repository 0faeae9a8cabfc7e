"""The run-time library of compiled filters, written in the compiler's own Python subset."""
