"""Route by models on servers."""
