"""Where configuration comes from: texts are read, checked against each other, and what is good is kept."""
