"""Score routing."""
