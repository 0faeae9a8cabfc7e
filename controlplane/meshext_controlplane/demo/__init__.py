"""`meshext demo`: a shop in a mesh on this machine, what one sees of it, and the proof of what it claims."""
