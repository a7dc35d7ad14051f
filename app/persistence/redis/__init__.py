"""Threads, lessons and cached values in Redis."""
