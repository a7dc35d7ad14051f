"""Decide what comes next on paths through the graph, and plan whole paths."""
