"""From source files to a module: the stages in order, and the run-time library made once."""
