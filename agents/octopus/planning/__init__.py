"""What comes next on a path through the graph: the next-node Octopus and its search for whole paths."""
