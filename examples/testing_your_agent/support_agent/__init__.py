"""An agent that answers questions about orders and gives small refunds."""
