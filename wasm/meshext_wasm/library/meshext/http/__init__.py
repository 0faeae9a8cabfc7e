"""`meshext.http`: what a hook sees, by the modules that the SDK has it in."""
