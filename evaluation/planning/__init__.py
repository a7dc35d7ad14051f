"""Score plans."""
