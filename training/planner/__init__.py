"""Training of the planner, which walks the graph."""
