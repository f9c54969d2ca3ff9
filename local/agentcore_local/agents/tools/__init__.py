"""The tools an agent has, as its model sees them."""
