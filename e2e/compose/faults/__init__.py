"""What breaks, how far that may be felt, and the measuring of it under load."""
