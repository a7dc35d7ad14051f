"""Experiments that only measure."""
