"""Train a worker's own model."""
