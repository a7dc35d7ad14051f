"""Offer the functions that workers call, by subject."""
