"""What the demo claims, each tried from outside: as a customer, as a stranger, and by what Envoys tell."""
