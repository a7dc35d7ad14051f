"""Train the causal Octopus."""
