"""Route by embeddings: the embedded default."""
