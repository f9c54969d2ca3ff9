"""What the agents remember: conversations as events of a memory, and what is extracted from them and brought back."""
