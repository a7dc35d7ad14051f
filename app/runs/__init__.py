"""Runs: start, resume, watch and log them."""
