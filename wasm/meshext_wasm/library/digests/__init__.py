"""Hash functions on raw words: blocks in memory into states in memory."""
