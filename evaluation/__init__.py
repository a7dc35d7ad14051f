"""Measure: each report prints its figures beside a baseline from the same run."""
