"""Route by a local language model with functional tokens."""
