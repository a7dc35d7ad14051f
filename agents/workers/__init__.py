"""Answer queries: the workers of a graph."""
