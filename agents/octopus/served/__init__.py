"""Octopuses on model servers."""
