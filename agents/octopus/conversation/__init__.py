"""How a conversation is read before it is routed."""
