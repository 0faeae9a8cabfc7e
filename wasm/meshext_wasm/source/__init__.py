"""The files of a program: parsed, with what they import, in the order in which they run."""
