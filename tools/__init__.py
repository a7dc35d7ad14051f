"""Compute what workers are asked: plain typed functions on well-kept libraries, which know no model."""
