"""urllib: only its part that takes URLs apart."""
