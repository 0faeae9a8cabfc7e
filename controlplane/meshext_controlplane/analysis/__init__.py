"""What is legal in a mesh's documents but seldom meant: found offline, told with codes that stay."""
