"""Training: text, functional-token heads, adapters and the shipped encoder."""
