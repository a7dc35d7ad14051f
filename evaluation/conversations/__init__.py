"""Score routing in conversations."""
