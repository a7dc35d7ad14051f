"""The causal Octopus: a local language model with functional tokens."""
