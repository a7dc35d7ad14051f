"""Train the planner, which predicts a path through the graph."""
