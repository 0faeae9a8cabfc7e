"""What is wrong with a program: where, why, and what to write instead."""
