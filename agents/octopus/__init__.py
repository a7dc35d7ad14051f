"""The Octopus: the model that routes at a node by functional token."""
