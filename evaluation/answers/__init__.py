"""Score the answers of graphs and of models."""
