"""Threads: list, copy, export and delete."""
