"""Read a conversation before it is routed."""
