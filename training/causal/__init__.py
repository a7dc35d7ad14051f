"""Training of the causal Octopus."""
