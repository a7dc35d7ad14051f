"""Serve graphs over HTTP."""
