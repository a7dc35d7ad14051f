"""Reflection: a draft is criticised or verified, and made again, within a budget."""
