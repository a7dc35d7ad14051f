"""Language models behind workers."""
