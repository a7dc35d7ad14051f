"""Criticise or verify a draft, and make it again, within a budget."""
