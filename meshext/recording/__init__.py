"""Exchanges written to a file and run again: the format, what is redacted, who writes and who reads."""
