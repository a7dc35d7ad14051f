"""Keep threads, lessons and cached values in Redis."""
