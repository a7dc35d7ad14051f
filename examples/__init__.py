"""Ways to use the graph from elsewhere; each module says how it is run, and a test runs it."""
